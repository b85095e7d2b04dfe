// Draws a histogram: stacked bars, the labels of the axis, and the bars' part of the arithmetic.
import { compact } from "../lib/numbers.js";
import { barColor, SEVERITIES } from "../lib/severity.js";
import { severityName } from "./query.js";
import { shortenSources } from "./source_names.js";

/**
 * The records of one value in each step. `name` is null for records without a value.
 * @typedef {{name: string|null, isOther: boolean, label: string, counts: number[], records: number, color: string}} Series
 * @typedef {{start: number, step: number, by: string|null, series: Series[], totals: number[], records: number}} Bars times in milliseconds
 */

const CLASSES = ["severity", "status_class", "status_code"]; // their values have colours of their own
const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes the series of an answer: spellings of one severity together, the most severe first.
 * @param {any} answer @returns {Bars}
 */
export function readBars(answer) {
  /** @type {Map<string|null, Series>} */
  const byName = new Map();
  for (const [place, { name, counts }] of answer.series.entries()) {
    const kept = answer.by === "severity" && name !== null ? (severityName(name) ?? name) : name;
    const before = byName.get(kept);
    if (before) before.counts = before.counts.map((count, step) => count + counts[step]);
    else byName.set(kept, { name: kept, isOther: false, label: labelOf(answer.by, kept), counts, records: 0, color: colorOf(answer.by, kept, place) });
  }
  const rank = CLASSES.includes(answer.by) ? rankClass : rankValue;
  const series = [...byName.values()].sort((a, b) => rank(a.name) - rank(b.name));
  if (answer.other) {
    const label = `${answer.other.values} other value${answer.other.values === 1 ? "" : "s"}`;
    series.push({ name: null, isOther: true, label, counts: answer.other.counts, records: 0, color: "var(--text-quiet)" });
  }
  if (answer.by === "source" || answer.by === "file") shortenLabels(series);
  for (const one of series) one.records = one.counts.reduce((sum, count) => sum + count, 0);
  const totals = (series[0]?.counts ?? []).map((_, step) => series.reduce((sum, one) => sum + one.counts[step], 0));
  return { start: Date.parse(answer.start), step: answer.step_s * 1000, by: answer.by ?? null, series, totals, records: answer.records };
}

/** @param {Series[]} series */
function shortenLabels(series) {
  const names = shortenSources(series.filter((one) => one.name !== null).map((one) => String(one.name)));
  for (const one of series) one.label = names.get(String(one.name)) ?? one.label;
}

/** @param {string|null} by @param {string|null} name */
function labelOf(by, name) {
  if (!by) return "records";
  return name ?? `no ${by === "status_class" ? "status code" : by}`;
}

/** @param {string|null} by @param {string|null} name @param {number} place among the series */
function colorOf(by, name, place) {
  if (!by) return "var(--accent)";
  if (name === null) return barColor(null);
  return CLASSES.includes(by) ? barColor(name) : `var(--series-${(place % 8) + 1})`;
}

/** The most frequent value stands at the bottom. @param {string|null} name */
function rankValue(name) {
  return name === null ? 1 : 0;
}

/** The most severe class stands at the bottom. @param {string|null} name */
function rankClass(name) {
  if (name === null) return 100;
  const place = SEVERITIES.indexOf(name);
  return place >= 0 ? SEVERITIES.length - place : 50 - Number(/^[1-9]/.exec(name)?.[0] ?? 0);
}

/**
 * Draws the bars into an svg element.
 * @param {SVGElement} svg @param {Bars} bars @param {{width: number, height: number}} size in pixels
 */
export function drawBars(svg, bars, { width, height }) {
  const most = Math.max(1, ...bars.totals);
  const column = width / bars.totals.length;
  const gap = column >= 4 ? 1 : 0;
  const floors = bars.totals.map(() => height);
  const paths = bars.series.map((one) => {
    let d = "";
    one.counts.forEach((count, step) => {
      if (!count) return;
      const tall = Math.max(1.5, (count / most) * (height - 4)); // the rarest value must be seen
      floors[step] = Math.max(0, floors[step] - tall);
      d += `M${(step * column).toFixed(2)} ${floors[step].toFixed(2)}h${(column - gap).toFixed(2)}v${tall.toFixed(2)}h${(gap - column).toFixed(2)}z`;
    });
    return make("path", { d, class: one.isOther ? "bar bar-other" : "bar" }, { fill: one.color });
  });
  const top = make("line", { x1: 0, x2: width, y1: 4, y2: 4, class: "grid" });
  const middle = make("line", { x1: 0, x2: width, y1: height / 2 + 2, y2: height / 2 + 2, class: "grid" });
  const bottom = make("line", { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5, class: "axis" });
  for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) svg.setAttribute(key, String(value));
  svg.replaceChildren(top, middle, ...paths, bottom);
  return { most, label: compact(most) };
}

/** @param {string} tag @param {Record<string, any>} attributes @param {Record<string, string>} [style] */
function make(tag, attributes, style = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  Object.assign(element.style, style);
  return element;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICKS = [1, 2, 5, 10, 15, 30].map((n) => n * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE))
  .concat([1, 2, 3, 6, 12].map((n) => n * HOUR))
  .concat([1, 2, 7, 14, 30, 91, 182, 365, 730, 1825, 3650, 36500].map((n) => n * DAY));

/**
 * Returns the labels of the time axis.
 * @param {number} start @param {number} end milliseconds @param {number} most greatest number of labels
 * @param {any} times
 * @returns {{at: number, text: string}[]}
 */
export function findTicks(start, end, most, times) {
  const size = TICKS.find((tick) => (end - start) / tick <= most) ?? TICKS[TICKS.length - 1];
  const shift = times.zone() === "UTC" ? 0 : -new Date(start).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let at = Math.ceil((start + shift) / size) * size - shift; at < end; at += size) {
    const whole = times.format(at, { seconds: size < MINUTE });
    const isMidnight = whole.slice(-5) === "00:00" && size >= MINUTE;
    const text = size >= DAY ? whole.slice(0, 10) : isMidnight ? whole.slice(5, 10) : whole.slice(11);
    ticks.push({ at, text });
  }
  return ticks;
}
