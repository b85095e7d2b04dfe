// A small chart of a metric's newest values, without axes.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 24;

/**
 * @param {{values: (number | null)[]}[]} series the first ones are drawn
 * @param {number} [most] lines
 * @returns {SVGElement} hidden from screen readers: the text next to it has the newest value
 */
export function sparkline(series, most = 4) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 -1 ${WIDTH} ${HEIGHT + 2}`, class: "spark", preserveAspectRatio: "none", "aria-hidden": "true" })) svg.setAttribute(name, value);
  const shown = series.slice(0, most);
  const known = shown.flatMap(({ values }) => values.filter((value) => value !== null));
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  for (const [index, { values }] of shown.entries()) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", pathOf(values, low, high));
    path.setAttribute("vector-effect", "non-scaling-stroke");
    path.style.stroke = `var(--series-${(index % 8) + 1})`;
    svg.append(path);
  }
  return svg;
}

/** @param {(number | null)[]} values @param {number} low @param {number} high */
function pathOf(values, low, high) {
  const [right, span] = [Math.max(1, values.length - 1), high - low || 1];
  let isOpen = false;
  return values
    .map((value, index) => {
      if (value === null) return ((isOpen = false), "");
      const point = `${((index / right) * WIDTH).toFixed(1)} ${(HEIGHT - ((value - low) / span) * HEIGHT).toFixed(1)}`;
      const isAlone = !isOpen && (values[index + 1] ?? null) === null;
      const command = isOpen ? "L" : "M";
      isOpen = true;
      return `${command}${point}${isAlone ? "h1" : ""}`;
    })
    .join("");
}
