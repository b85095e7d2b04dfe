// The values of a chart as a table, to read, copy and download.
import * as address from "../lib/address.js";
import { fill, h, icon, logText } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";
import * as times from "../lib/times.js";
import { formatValue } from "./units.js";

/** So many steps are shown at once; CSV has all. */
const MAX_ROWS = 500;

/**
 * @typedef {import("./legend.js").Series} Series
 * @typedef {{start: number, step_s: number, series: Series[]}} Steps start in milliseconds
 */

/**
 * @param {{toast: (text: string) => void}} app
 * @param {(segment: string | null, index: number) => string | null} linkTo the address of the records of a step
 */
export function valuesTable(app, linkTo) {
  /** @type {Steps} */
  let steps = { start: 0, step_s: 1, series: [] };
  /** @type {import("./words.js").Metric | null} */
  let metric = null;
  /** @type {import("./units.js").Unit} */
  let unit = "";
  const container = h("div", { class: "scroll metric-values" });
  const copy = h("button", { type: "button", class: "small", on: { click: copyAll } }, icon("copy"), "Copy as CSV");
  const save = h("button", { type: "button", class: "small", on: { click: () => download(`${metric?.name ?? "metric"}.csv`, toCsv(steps)) } }, icon("download"), "Download CSV");
  const node = h("details", { class: "metric-table" }, h("summary", null, "Values as a table"), h("div", { class: "bar" }, copy, save), container);
  node.addEventListener("toggle", () => {
    address.go({ params: { table: node.open } }, { replace: true });
    if (node.open) draw();
  });

  async function copyAll() {
    await navigator.clipboard.writeText(toCsv(steps)).then(() => app.toast("Copied"), () => app.toast("The browser does not let the page copy; download it instead"));
  }

  function draw() {
    if (metric) fill(container, makeTable(steps, metric, unit, linkTo));
  }

  return {
    node,
    /** @param {Steps} next @param {import("./words.js").Metric} of @param {import("./units.js").Unit} unitNow */
    update(next, of, unitNow) {
      [steps, metric, unit] = [next, of, unitNow];
      node.open = address.read().params.has("table");
      if (node.open && !container.contains(document.activeElement)) draw();
    },
  };
}

/** @param {Steps} steps @param {import("./words.js").Metric} metric @param {import("./units.js").Unit} unit
 * @param {(segment: string | null, index: number) => string | null} linkTo */
function makeTable({ start, step_s, series }, metric, unit, linkTo) {
  const length = series[0]?.values.length ?? 0;
  const names = series.map(({ segment }) => (metric.segment ? (segment === null ? "(no value)" : logText(segment)) : "Value"));
  const head = h("tr", null, h("th", { scope: "col" }, "Time"), names.map((name) => h("th", { scope: "col", class: "number" }, name)));
  const rows = [];
  for (let index = length - 1; index >= Math.max(0, length - MAX_ROWS); index -= 1) {
    const cells = series.map(({ segment, values }) => {
      const text = formatValue(values[index], unit);
      const link = values[index] ? linkTo(segment, index) : null;
      return h("td", { class: "number" }, link ? h("a", { href: link }, text) : text);
    });
    rows.push(h("tr", null, h("th", { scope: "row" }, times.format(start + index * step_s * 1000)), cells));
  }
  const rest = length - rows.length;
  const caption = `${metric.name}, a row for each ${numbers.duration(step_s)}, the newest first${rest > 0 ? `; ${numbers.count(rest)} earlier ones are only in the CSV` : ""}`;
  return h("table", { class: "plain-table" }, h("caption", null, caption), h("thead", null, head), h("tbody", null, rows));
}

/** @param {Steps} steps */
export function toCsv({ start, step_s, series }) {
  const lines = [["time", ...series.map(({ segment }, index) => segment ?? (series.length > 1 ? "" : index ? "" : "value"))]];
  for (const index of (series[0]?.values ?? []).keys()) {
    const time = new Date(start + index * step_s * 1000).toISOString();
    lines.push([time, ...series.map(({ values }) => (values[index] === null ? "" : String(values[index])))]);
  }
  return lines.map((line) => line.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

/** A cell of CSV. Text that a spreadsheet would compute gets a quote before it. @param {string} text */
function csvCell(text) {
  const safe = /^[=@\t\r]|^[+-](?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {string} name @param {string} text */
function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
