/** Menus below a button. */
import { h, icon } from "./dom.js";

/**
 * @typedef {{label: import("./dom.js").Child, onSelect: () => void, isChecked?: boolean, detail?: string, isDisabled?: boolean} | {heading: string} | "line"} Item
 */

/**
 * Let a button open a menu. Arrows, Home, End and the first letter move in it; Escape closes it.
 * @param {HTMLButtonElement} button @param {() => Item[]} makeItems called at each opening
 */
export function menu(button, makeItems) {
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => (button.getAttribute("aria-expanded") === "true" ? closeMenu() : openMenu(button, makeItems())));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    openMenu(button, makeItems());
  });
}

/** @type {(giveBack?: boolean) => void} */
let closeMenu = () => {};

/** @param {HTMLButtonElement} button @param {Item[]} items */
function openMenu(button, items) {
  closeMenu();
  const element = h("div", { class: "menu", role: "menu", popover: "manual", aria: { label: button.textContent || button.getAttribute("aria-label") } }, items.map(makeItem));
  // In the dialog of its button, if there is one: everything else is inert while a dialog is open.
  (button.closest("dialog") ?? document.body).append(element);
  element.showPopover();
  placeBelow(element, button);
  button.setAttribute("aria-expanded", "true");
  const control = new AbortController();
  closeMenu = (giveBack = true) => {
    closeMenu = () => {};
    control.abort();
    button.setAttribute("aria-expanded", "false");
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    if (giveBack && hadFocus) button.focus();
  };
  const outside = (/** @type {Event} */ event) => {
    const target = /** @type {Node} */ (event.target);
    if (!element.contains(target) && !button.contains(target)) closeMenu(false);
  };
  for (const type of ["pointerdown", "focusin"]) document.addEventListener(type, outside, { signal: control.signal, capture: true });
  addEventListener("resize", () => closeMenu(), { signal: control.signal });
  addEventListener("hashchange", () => closeMenu(false), { signal: control.signal });
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => onKey(event, element));
  (element.querySelector("[aria-checked=true]") ?? element.querySelector("[role^=menuitem]"))?.focus();
}

/** @param {Item} item */
function makeItem(item) {
  if (item === "line") return h("div", { class: "menu-line", role: "separator" });
  if ("heading" in item) return h("div", { class: "menu-heading", role: "presentation" }, item.heading);
  const isCheck = item.isChecked !== undefined;
  return h(
    "button",
    {
      type: "button", tabindex: -1, role: isCheck ? "menuitemradio" : "menuitem", disabled: item.isDisabled,
      aria: { checked: isCheck ? String(item.isChecked) : null },
      on: { click: () => { closeMenu(); item.onSelect(); } },
    },
    isCheck && h("span", { class: "menu-check" }, item.isChecked && icon("check")),
    h("span", { class: "menu-label" }, item.label),
    item.detail && h("span", { class: "menu-detail" }, item.detail),
  );
}

/** @param {KeyboardEvent} event @param {HTMLElement} element */
function onKey(event, element) {
  const items = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[role^=menuitem]:not(:disabled)")]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  if (event.key in moves) items.at(moves[/** @type {keyof typeof moves} */ (event.key)] % items.length)?.focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else if (event.key.length === 1 && event.key !== " ") {
    const later = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    later.find((one) => one.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    event.stopPropagation();
    return;
  } else return;
  event.stopPropagation();
  if (event.key !== "Tab") event.preventDefault();
}

/** Put an element below another one, or above it, inside the window. @param {HTMLElement} element @param {HTMLElement} anchor */
export function placeBelow(element, anchor) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const isBelow = box.bottom + height + 8 < innerHeight || box.top < innerHeight / 2;
  element.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
  element.style.top = `${isBelow ? box.bottom + 4 : Math.max(8, box.top - height - 4)}px`;
  element.style.maxHeight = `${(isBelow ? innerHeight - box.bottom : box.top) - 12}px`;
}
