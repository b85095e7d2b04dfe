/**
 * The rows of an answer. Only the rows in sight are in the document, so that ten thousand scroll smoothly.
 */

import { fill, h, visible } from "../lib/dom.js";
import { zoneName } from "../lib/times.js";
import { isNumber, shortenType, toText, widths } from "./values.js";

const ROW_PX = 24; // as in the style sheet
const MARGIN_ROWS = 20;

/**
 * @param {{columns: {name: string, type: string}[], rows: unknown[][]}} answer
 * @param {(name: string, text: string) => void} expand shows a long value whole
 * @returns {HTMLElement}
 */
export function resultTable(answer, expand) {
  const { columns, rows } = answer;
  const head = h("tr", { aria: { rowindex: "1" } }, columns.map(({ name, type }) => h(
    "th",
    { scope: "col", class: isNumber(type) ? "right" : "" },
    h("span", { dir: "auto" }, name),
    h("span", { class: "column-type quiet" }, describeType(type)),
  )));
  const body = h("tbody", {});
  const above = h("tbody", { aria: { hidden: "true" } });
  const below = h("tbody", { aria: { hidden: "true" } });
  const sizes = widths(answer);
  const whole = sizes.reduce((sum, width) => sum + width, 0);
  const cols = h("colgroup", {}, sizes.map((width) => h("col", { style: { width: `${width}ch` } })));
  const table = h("table", { class: "table sql-result", style: { width: `${whole}ch` }, aria: { rowcount: String(rows.length + 1) } }, cols, h("thead", {}, head), above, body, below);
  const scroller = h("div", { class: "table-place sql-scroll", role: "region", tabindex: "0", aria: { label: "Result" } }, table);
  let drawn = [-1, -1];

  function draw() {
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_PX) - MARGIN_ROWS);
    const last = Math.min(rows.length, first + Math.ceil((scroller.clientHeight || 600) / ROW_PX) + 2 * MARGIN_ROWS);
    // Rows change in steps, so that most scrolling changes nothing.
    if (first >= drawn[0] && last <= drawn[1] && last - first <= drawn[1] - drawn[0]) return;
    if (Math.abs(first - drawn[0]) < MARGIN_ROWS / 2 && last < rows.length && first > 0) return;
    drawn = [first, last];
    fill(body, rows.slice(first, last).map((row, index) => drawRow(row, first + index)));
    fill(above, spacer(first));
    fill(below, spacer(rows.length - last));
  }

  function drawRow(row, index) {
    const cells = row.map((value, column) => h("td", { class: isNumber(columns[column].type) ? "right" : "" }, drawValue(value, column)));
    return h("tr", { aria: { rowindex: String(index + 2) }, class: index % 2 ? "odd" : "" }, cells);
  }

  function drawValue(value, column) {
    const { name, type } = columns[column];
    if (value === null) return h("span", { class: "null" }, "null");
    const text = visible(toText(value, type));
    if (text.length <= sizes[column] - 3 && !text.includes("\n")) return h("span", { dir: "auto" }, text);
    const show = () => expand(name, text);
    return h("button", { type: "button", class: "long-value", dir: "auto", title: "Show all of it", on: { click: show } }, text.slice(0, 300));
  }

  scroller.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(draw).observe(scroller);
  draw();
  return scroller;
}

/** @param {string} type */
function describeType(type) {
  const name = shortenType(type);
  return name === "timestamptz" ? `${name}, ${zoneName()}` : name;
}

/** @param {number} rows @returns {HTMLElement | null} an empty row as high as so many */
function spacer(rows) {
  return rows ? h("tr", { style: { height: `${rows * ROW_PX}px` } }) : null;
}
