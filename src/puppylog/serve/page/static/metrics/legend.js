// The segments of a chart: their colours, their newest values and their totals; each can be left out or shown alone.
import { fill, h, logText, visible } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";
import { formatValue } from "./units.js";
import { addsUp } from "./words.js";

/**
 * @typedef {{segment: string | null, values: (number | null)[]}} Series
 * @typedef {object} LegendEvents
 * @property {(hidden: string[]) => void} onHide keys of the segments that are not drawn
 * @property {(segment: string | null) => void} onOnly
 * @property {(segment: string | null) => string | null} linkTo the address of a segment's records
 */

/** The key of a segment in an address: a segment without a value is "-", and one that begins with "-" or "\" is escaped. @param {string | null} segment */
export const keyOf = (segment) => (segment === null ? "-" : segment.replace(/^[-\\]/, "\\$&"));

/** @param {Series} series @param {import("./words.js").Metric} metric @returns {number | null} the sum, or the mean of what does not add up */
export function totalOf({ values }, metric) {
  const known = /** @type {number[]} */ (values.filter((value) => value !== null));
  if (!known.length) return null;
  const sum = known.reduce((total, value) => total + value, 0);
  return addsUp(metric) ? sum : sum / known.length;
}

/** @param {Series} series @returns {number | null} */
export const newestOf = ({ values }) => values.findLast((value) => value !== null) ?? null;

/** The name of a segment as plain text. @param {string | null} segment */
export const nameOf = (segment) => (segment === null ? "(no value)" : visible(segment));

/** @param {number} index */
export const colorOf = (index) => `var(--series-${(index % 8) + 1})`;

/** @param {LegendEvents} events */
export function legend(events) {
  const node = h("div", { class: "metric-legend" });
  let shown = "";
  return {
    node,
    /**
     * @param {Series[]} series @param {import("./words.js").Metric} metric @param {import("./units.js").Unit} unit
     * @param {Set<string>} hidden keys @param {number | null} at index of the step under the pointer; null: the newest
     */
    update(series, metric, unit, hidden, at) {
      const text = JSON.stringify([series, [...hidden]]);
      if (text !== shown) fill(node, !metric.segment ? makeFacts(series[0], metric, unit) : makeTable(series, metric, unit, hidden, events));
      shown = text;
      const values = node.querySelectorAll("[data-newest]");
      for (const [index, cell] of values.entries()) cell.textContent = formatValue(at === null ? newestOf(series[index]) : series[index].values[at], unit);
      const head = node.querySelector("[data-head]");
      if (head) head.textContent = at === null ? "Newest" : "At the pointer";
    },
  };
}

/** @param {Series[]} series @param {import("./words.js").Metric} metric @param {import("./units.js").Unit} unit @param {Set<string>} hidden @param {LegendEvents} events */
function makeTable(series, metric, unit, hidden, events) {
  const heads = ["Segment", "Newest", addsUp(metric) ? "Total" : "Mean"];
  const head = heads.map((name, index) => h("th", { scope: "col", class: index ? "number" : "", data: index === 1 ? { head: "" } : {} }, name));
  const rows = series.map((one, index) => {
    const key = keyOf(one.segment);
    const name = one.segment === null ? h("span", { class: "quiet" }, "(no value)") : logText(one.segment);
    const box = h("input", { type: "checkbox", checked: !hidden.has(key), style: { accentColor: colorOf(index) } });
    box.addEventListener("change", () => events.onHide(series.map((other) => keyOf(other.segment)).filter((other) => (other === key ? !box.checked : hidden.has(other)))));
    const link = events.linkTo(one.segment);
    return h(
      "tr",
      { class: hidden.has(key) ? "is-hidden" : "" },
      h("th", { scope: "row" }, h("label", null, box, h("span", { class: "swatch", style: { background: colorOf(index) } }), name)),
      h("td", { class: "number", data: { newest: "" } }),
      h("td", { class: "number" }, formatValue(totalOf(one, metric), unit)),
      h(
        "td",
        { class: "legend-actions" },
        series.length > 1 && h("button", { type: "button", class: "small", aria: { label: `Only ${nameOf(one.segment)}` }, on: { click: () => events.onOnly(one.segment) } }, "Only"),
        link && h("a", { href: link, aria: { label: `Records of ${nameOf(one.segment)}` } }, "Records"),
      ),
    );
  });
  return h("table", { class: "plain-table" }, h("thead", null, h("tr", null, head, h("th", null, h("span", { class: "visually-hidden" }, "Actions")))), h("tbody", null, rows));
}

/** What is known of the only series. @param {Series | undefined} series @param {import("./words.js").Metric} metric @param {import("./units.js").Unit} unit */
function makeFacts(series, metric, unit) {
  const known = /** @type {number[]} */ (series?.values.filter((value) => value !== null) ?? []);
  if (!series || !known.length) return null;
  const facts = { [addsUp(metric) ? "Total" : "Mean"]: totalOf(series, metric), Lowest: Math.min(...known), Highest: Math.max(...known) };
  const texts = Object.entries(facts).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, formatValue(value, unit))));
  return h("dl", { class: "metric-facts" }, h("div", null, h("dt", { data: { head: "" } }), h("dd", { data: { newest: "" } })), texts);
}

/** What the chart leaves out, in words. @param {number} leftOut @param {number} hidden */
export function describeLeftOut(leftOut, hidden) {
  const parts = [];
  if (leftOut) parts.push(`${numbers.plural(leftOut, "smaller segment")} ${leftOut === 1 ? "is" : "are"} left out`);
  if (hidden) parts.push(`${numbers.count(hidden)} ${hidden === 1 ? "is" : "are"} switched off`);
  return parts.join("; ");
}
