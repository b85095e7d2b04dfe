// Where an element scrolls, and how its content changes without a jump.

/** What scrolls an element. @param {Element} element @returns {Element} */
export function scrollerOf(element) {
  for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
    if (/auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  return document.scrollingElement ?? document.documentElement;
}

/** Change a list so that an element stays where it is on the screen. @param {Element | undefined} element @param {() => void} change */
export function keepStill(element, change) {
  const before = element?.getBoundingClientRect().top ?? 0;
  change();
  if (element) scrollerOf(element).scrollTop += element.getBoundingClientRect().top - before;
}

/**
 * Tell the styles how much of the window the search bar covers, and a function when the container has another width.
 * @param {HTMLElement} container @param {() => void} onResize @returns {() => void} stops it
 */
export function watchSearchBar(container, onResize) {
  const bar = /** @type {HTMLElement | null | undefined} */ (container.closest(".search-view")?.querySelector(".search-bar"));
  const sizes = new ResizeObserver(() => {
    const height = bar && getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0;
    container.style.setProperty("--search-bar", `${height}px`);
    onResize();
  });
  sizes.observe(container);
  if (bar) sizes.observe(bar);
  return () => sizes.disconnect();
}
