// The columns of the table: which ones, in which order and how wide. The address keeps them as "ts:190,host:120".

import { get } from "../lib/api.js";
import { dialog } from "../lib/dialog.js";
import { fill, h } from "../lib/dom.js";
import { menu } from "../lib/menu.js";
import { attributesOf, known } from "./record_fields.js";

/** @typedef {{name: string, width: number}} Column width in CSS pixels */

const WIDTHS = /** @type {Record<string, number>} */ ({ ts: 190, severity: 84, status_code: 104, request_method: 124, request_route: 260, host: 140, source: 200, message: 480, response_bytes: 124 });
const WIDTH = 140;
const LEAST = 40;
const MOST = 2000;
const STEP = 20;
const USUAL = ["severity", "source", "status_code", "request_method", "request_route", "host", "response_bytes", "ruser", "message"];

/** @param {string | null} text of the address @returns {Column[] | null} */
export function readColumns(text) {
  if (!text) return null;
  const columns = text.split(",").map((part) => {
    const [name, width] = part.split(":");
    return { name: decode(name), width: clamp(Number(width) || (WIDTHS[decode(name)] ?? WIDTH)) };
  });
  const names = new Set();
  const kept = columns.filter(({ name }) => name && !names.has(name) && names.add(name));
  return kept.length ? kept.slice(0, 40) : null;
}

/** @param {string} text */
function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/** @param {Column[]} columns */
export function writeColumns(columns) {
  return columns.map(({ name, width }) => `${name.replace(/[%,:]/g, encodeURIComponent)}:${Math.round(width)}`).join(",");
}

/** @param {number} width */
function clamp(width) {
  return Math.max(LEAST, Math.min(MOST, width));
}

/** The columns that most of the records have. @param {any[]} records @returns {Column[]} */
export function chooseColumns(records) {
  const sources = new Set(records.map((record) => record.source));
  const names = USUAL.filter((name) => {
    if (name === "source") return sources.size > 1;
    return records.filter((record) => known(record[name])).length * 2 >= Math.max(1, records.length);
  });
  return ["ts", ...(names.length ? names : ["message"])].map((name) => ({ name, width: WIDTHS[name] ?? WIDTH }));
}

/** @param {Column[]} columns @param {string} name @returns {Column[]} */
export function withColumn(columns, name) {
  if (columns.some((column) => column.name === name)) return columns.filter((column) => column.name !== name);
  return [...columns, { name, width: WIDTHS[name] ?? WIDTH }];
}

/** The least width of the table, in pixels. @param {Column[]} columns */
export function widthOf(columns) {
  return columns.reduce((sum, { width }) => sum + width, 0);
}

/** The value of grid-template-columns. @param {Column[]} columns */
export function templateOf(columns) {
  return columns.map(({ width }, at) => (at === columns.length - 1 ? `minmax(${width}px, 1fr)` : `${width}px`)).join(" ");
}

/**
 * The head of the table: a menu per column, and a handle for its width.
 * @param {Column[]} columns
 * @param {{change: (columns: Column[]) => void, preview: (columns: Column[]) => void}} options preview: while a handle is moved
 */
export function tableHead(columns, { change, preview }) {
  const cells = columns.map((column, at) => {
    const button = h("button", { type: "button", class: "column-name", title: column.name }, column.name === "ts" ? "time" : column.name);
    menu(button, () => [
      { label: "Move left", isDisabled: at === 0, onSelect: () => change(moved(columns, at, -1)) },
      { label: "Move right", isDisabled: at === columns.length - 1, onSelect: () => change(moved(columns, at, 1)) },
      "line",
      { label: "Hide this column", isDisabled: columns.length === 1, onSelect: () => change(columns.filter((one) => one !== column)) },
      { label: "Show this column only", isDisabled: columns.length === 1, onSelect: () => change([column]) },
    ]);
    return h("span", { class: "head-cell", role: "columnheader" }, button, at < columns.length - 1 && handle(columns, at, { change, preview }));
  });
  return h("div", { class: "table-head", role: "rowgroup" }, h("div", { class: "row", role: "row" }, cells));
}

/** @param {Column[]} columns @param {number} at @param {number} step */
function moved(columns, at, step) {
  const result = [...columns];
  result.splice(at + step, 0, ...result.splice(at, 1));
  return result;
}

/** @param {Column[]} columns @param {number} at @param {{change: (columns: Column[]) => void, preview: (columns: Column[]) => void}} options */
function handle(columns, at, { change, preview }) {
  const column = columns[at];
  const resized = (/** @type {number} */ width) => columns.map((one) => (one === column ? { ...one, width: clamp(width) } : one));
  const element = h("span", {
    class: "column-handle", role: "separator", tabindex: 0, title: "Drag, or press ← and →",
    aria: { orientation: "vertical", label: `Width of ${column.name}`, valuenow: Math.round(column.width), valuemin: LEAST, valuemax: MOST },
  });
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    change(resized(column.width + step));
  });
  element.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const startX = event.clientX;
    const start = element.parentElement.getBoundingClientRect().width;
    const move = (/** @type {PointerEvent} */ moving) => preview(resized(start + moving.clientX - startX));
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", (/** @type {PointerEvent} */ ended) => {
      element.removeEventListener("pointermove", move);
      change(resized(start + ended.clientX - startX));
    }, { once: true });
  });
  return element;
}

/**
 * Let the reader choose columns from the fields of the records.
 * @param {Column[]} columns @param {any[]} records those that the list shows
 * @param {Record<string, any>} condition of the search @param {(columns: Column[]) => void} change
 */
export function openChooser(columns, records, condition, change) {
  let chosen = columns;
  const names = new Set([...columns.map(({ name }) => name), "ts", ...USUAL, "file", "group", "ident", "referer", "user_agent", "request_proto"]);
  for (const record of records.slice(0, 500)) for (const { name } of attributesOf(record)) names.add(name);
  const list = h("ul", { class: "chooser" });
  const filter = h("input", { type: "search", placeholder: "Find a field", aria: { label: "Find a field" }, on: { input: draw } });
  const shown = dialog({ title: "Columns", body: [filter, list], class: "columns-dialog" });
  filter.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const first = /** @type {HTMLInputElement | null} */ (list.querySelector("input"));
    if (event.key !== "Enter" || !first) return;
    first.click();
  });
  function draw() {
    const wanted = filter.value.toLowerCase();
    fill(list, [...names].filter((name) => name.toLowerCase().includes(wanted)).slice(0, 300).map((name) => h("li", null, h("label", null,
      h("input", { type: "checkbox", checked: chosen.some((one) => one.name === name), on: { change: () => toggle(name) } }),
      h("bdi", null, name === "ts" ? "ts (time)" : name)))));
  }
  /** @param {string} name */
  function toggle(name) {
    const next = withColumn(chosen, name);
    if (!next.length) return draw();
    chosen = next;
    change(chosen);
  }
  draw();
  get("fields", condition).then((answer) => {
    for (const field of answer.fields) names.add(field.name);
    draw();
  }).catch(() => {}); // the fields of the shown records are enough to choose from
  return shown;
}
