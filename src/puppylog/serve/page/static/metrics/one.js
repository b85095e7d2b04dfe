// One metric: its chart, its segments, the alerts that judge it, and its values.
import * as address from "../lib/address.js";
import * as api from "../lib/api.js";
import { chart } from "../lib/chart.js";
import { fill, h, icon, logText } from "../lib/dom.js";
import { poll } from "../lib/polling.js";
import { query } from "../lib/query.js";
import * as range from "../lib/range.js";
import * as times from "../lib/times.js";
import { askAlerts, askSeries, isEmpty, isLastOpen } from "./asking.js";
import { compare, comparisonOf, comparisonSwitch, MAX_COMPARED, shiftOf } from "./comparison.js";
import { colorOf, describeLeftOut, keyOf, legend, nameOf } from "./legend.js";
import { alertLinks, firingMarks, thresholdLines } from "./thresholds.js";
import { formatValue, unitOf } from "./units.js";
import { valuesTable } from "./values.js";
import { countsRecords, describeMetric, queryOf, sqlOf } from "./words.js";

/**
 * @typedef {import("./legend.js").Series} Series
 * @typedef {import("./asking.js").Answer} Answer
 * @typedef {{answer: Answer, before: Series[], alerts: import("../alerts/condition.js").AlertRow[]}} Loaded
 */

export const RANGE = "6h";
const POLL_MS = 10_000;
const FEW_SEGMENTS = 12;
const MANY_SEGMENTS = 50;
/** Of the chart, in pixels: higher where there is space. */
const height = () => Math.max(220, Math.min(420, innerHeight / 3));
const NO_VALUE = "-";

/**
 * @param {HTMLElement} container @param {import("../app.js").App} app @param {string} name of the metric
 * @returns {{update: () => void, close: () => void}}
 */
export function openOne(container, app, name) {
  const parts = makeParts(app, name, () => load(true));
  fill(container, parts.nodes);
  const running = query(parts.body);
  parts.body.before(running.element);
  const drawing = makeDrawing(parts, app);
  const stop = api.onBack(() => load(true));
  const polling = poll(async (signal) => {
    if (range.read(RANGE).until === "" && drawing.isShown()) drawing.draw(await ask(name, parts.chart, signal));
  }, POLL_MS);
  let asked = "";

  /** @param {boolean} [isForced] */
  async function load(isForced = false) {
    const { params } = address.read();
    const question = ["since", "until", "segment", "compare", "series", "tz"].map((key) => params.get(key)).join("\n");
    if (question === asked && !isForced) return drawing.draw();
    asked = question;
    const loaded = await running.run((signal) => ask(name, parts.chart, signal));
    if (loaded) drawing.draw(loaded);
  }

  return {
    update() {
      parts.range.update();
      load();
    },
    close() {
      for (const part of [running, parts.range, drawing]) part.close();
      polling.stop();
      stop();
    },
  };
}

/** @param {string} name @param {HTMLElement} near whose width decides on the number of steps @param {AbortSignal} signal @returns {Promise<Loaded>} */
async function ask(name, near, signal) {
  const { params } = address.read();
  const steps = Math.max(40, Math.min(400, Math.floor(near.clientWidth / 4)));
  const segment = params.get("segment");
  const series = params.get("series") ? MANY_SEGMENTS : FEW_SEGMENTS;
  const [answer, { alerts }] = await Promise.all([askSeries(name, { ...range.query(RANGE), steps, segment, series }, signal), askAlerts(signal)]);
  // The server cannot be asked for records without a value alone.
  if (params.get("only") === NO_VALUE) answer.series = answer.series.filter((one) => one.segment === null);
  const shift_s = shiftOf(params.get("compare"));
  return { answer, alerts, before: shift_s && answer.start ? await compare(answer, shift_s, { segment, series }, signal) : [] };
}

/** The elements of the view. @param {any} app @param {string} name @param {() => void} onRefresh */
function makeParts(app, name, onRefresh) {
  const control = app.range.control({ fallback: RANGE, onRefresh });
  const [about, status, alerts, tools, note, container] = ["p", "p", "ul", "div", "p", "div"].map((tag) => h(tag, null));
  about.className = "metric-about";
  status.className = "metric-status quiet";
  alerts.className = "metric-alerts";
  tools.className = "toolbar metric-tools";
  note.className = "quiet metric-note";
  const legendContainer = h("div", { class: "metric-segments" });
  const body = h("div", { class: "metric-body" }, h("div", { class: "metric-main" }, h("div", { class: "panel metric-chart" }, container), note), legendContainer);
  const values = h("div", null);
  const head = h("header", { class: "toolbar" }, h("h1", null, h("a", { href: "#/metrics" }, "Metrics"), " / ", h("span", null, name)), control.element);
  return { range: control, about, status, alerts, tools, note, chart: container, legendContainer, body, values, nodes: [head, about, status, alerts, tools, body, values] };
}

/** Draws what was loaded, and again when the address asks for another look at the same values.
 * @param {ReturnType<typeof makeParts>} parts @param {import("../app.js").App} app */
function makeDrawing(parts, app) {
  /** @type {Loaded | null} */
  let loaded = null;
  /** @type {{update: (data: any) => void, close: () => void} | null} */
  let drawn = null;
  let shown = "";
  let cursor = /** @type {number | null} */ (null);
  const linkTo = (/** @type {string | null} */ segment, /** @type {number | undefined} */ at) => loaded && recordsOf(loaded.answer, segment, at);
  const segments = legend({
    onHide: (hidden) => address.go({ params: { hide: hidden } }, { replace: true }),
    onOnly: (segment) => address.go({ params: { segment, hide: null, only: segment === null ? NO_VALUE : null } }),
    linkTo: (segment) => linkTo(segment, undefined),
  });
  const table = valuesTable(app, linkTo);
  fill(parts.values, table.node);

  /** @param {Loaded | null} [next] */
  function draw(next = loaded) {
    loaded = next;
    const text = JSON.stringify([loaded, location.hash]);
    if (!loaded || text === shown) return;
    shown = text;
    const { answer, alerts } = loaded;
    const unit = unitOf(answer.metric);
    const { params } = address.read();
    const hidden = new Set(params.getAll("hide"));
    fill(parts.about, describeMetric(answer.metric, true), ".");
    fill(parts.status, describeState(answer.metric));
    fill(parts.alerts, alertLinks(alerts, answer.metric, unit));
    fill(parts.tools, toolsOf(answer, params));
    fill(parts.legendContainer, segments.node);
    segments.update(answer.series, answer.metric, unit, hidden, cursor);
    fill(parts.note, noteOf(answer, answer.series.filter((one) => hidden.has(keyOf(one.segment))).length, params));
    table.update({ start: times.toMs(answer.start), step_s: answer.step_s, series: answer.series }, answer.metric, unit);
    drawChart(chartData(loaded, hidden, params));
  }

  /** @param {any} data null: there is nothing to draw */
  function drawChart(data) {
    if (!data) {
      drawn?.close();
      drawn = null;
      fill(parts.chart, h("p", { class: "empty-note" }, "No observations in this time."));
    } else if (drawn) drawn.update(data);
    else drawn = chart(parts.chart, { ...data, height: height(), onBrush: (since, until) => address.go(range.change(since, until)), onHover: point, onPick: pick });
  }

  /** @param {number | null} at */
  function point(at) {
    cursor = at;
    if (loaded) segments.update(loaded.answer.series, loaded.answer.metric, unitOf(loaded.answer.metric), new Set(address.read().params.getAll("hide")), at);
  }

  /** @param {number} at @param {number | null} index of the series that is nearest */
  function pick(at, index) {
    if (!loaded) return;
    const visible = loaded.answer.series.filter((one) => !new Set(address.read().params.getAll("hide")).has(keyOf(one.segment)));
    const target = linkTo(visible.length === 1 || index === null ? visible[0]?.segment ?? null : (visible[index]?.segment ?? null), at);
    if (target) location.hash = target.slice(1);
    else app.toast("No query can say which records these are.");
  }

  return { draw, isShown: () => loaded !== null, close: () => drawn?.close() };
}

/** What the chart draws; null if there is nothing. @param {Loaded} loaded @param {Set<string>} hidden @param {URLSearchParams} params */
function chartData({ answer, before, alerts }, hidden, params) {
  const { metric, start, step_s } = answer;
  if (start === null || isEmpty(answer)) return null;
  const unit = unitOf(metric);
  const kind = kindOf(answer, params);
  const label = (/** @type {Series} */ one) => (metric.segment ? nameOf(one.segment) : metric.name);
  const visible = answer.series.flatMap((one, index) => (hidden.has(keyOf(one.segment)) ? [] : [{ label: label(one), color: colorOf(index), values: one.values, kind }]));
  const few = answer.series.filter((one) => !hidden.has(keyOf(one.segment))).slice(0, MAX_COMPARED);
  const earlier = before.flatMap((one) => {
    const index = answer.series.findIndex((now) => now.segment === one.segment);
    if (!few.includes(answer.series[index])) return [];
    const color = kind === "bars" && answer.series.length === 1 ? "var(--text-quiet)" : colorOf(index);
    return [{ label: `${label(one)}, ${comparisonOf(params.get("compare"))}`, color, values: one.values, kind: "line", isDashed: true }];
  });
  const stacked = kind === "bars" && visible.length > 1;
  const lines = stacked && alerts.some((row) => row.metric === metric.name && row.segment !== null) ? [] : thresholdLines(alerts, metric, step_s);
  return {
    start, step_s, stacked, lines, marks: firingMarks(alerts, metric), series: stacked ? visible : [...visible, ...earlier],
    label: `${metric.name} over time`, format: (/** @type {number | null} */ value) => formatValue(value, unit),
  };
}

/** Counts of one series are bars, everything else is lines, unless the address says otherwise. @param {Answer} answer @param {URLSearchParams} params */
function kindOf({ metric, series }, params) {
  const asked = params.get("as");
  if (asked === "lines" || asked === "bars") return asked === "bars" ? "bars" : "line";
  return countsRecords(metric) && metric.statistic !== "rate" && series.length === 1 ? "bars" : "line";
}

/** @param {Answer} answer @param {URLSearchParams} params */
function toolsOf(answer, params) {
  const kind = kindOf(answer, params);
  const kinds = [["line", "Lines", "lines"], ["bars", "Bars", "bars"]].map(([value, label, as]) => h("button", { type: "button", aria: { pressed: String(kind === value) }, on: { click: () => address.go({ params: { as } }, { replace: true }) } }, label));
  const only = params.get("segment") ?? (params.get("only") ? "(no value)" : null);
  const records = recordsOf(answer, undefined, undefined);
  return [
    h("div", { class: "segmented", role: "group", aria: { label: "Draw as" } }, kinds),
    comparisonSwitch(params.get("compare")),
    only !== null && h("button", { type: "button", class: "metric-only", on: { click: () => address.go({ params: { segment: null, only: null } }) } }, "Only ", logText(only), icon("close"), h("span", { class: "visually-hidden" }, "Show all segments")),
    records ? h("a", { class: "button", href: records }, icon("search"), "Records") : recordsInSql(answer),
  ];
}

/** @param {Answer} answer @param {number} hidden @param {URLSearchParams} params */
function noteOf(answer, hidden, params) {
  if (!answer.start) return null;
  const step = `Each ${kindOf(answer, params) === "bars" ? "bar" : "point"} is ${stepName(answer.step_s)}${isLastOpen(answer) ? "; the last one is not over yet" : ""}.`;
  const leftOut = describeLeftOut(answer.left_out_segments, hidden);
  const drawn = answer.series.length - hidden;
  const isStacked = kindOf(answer, params) === "bars" && drawn > 1;
  const many = drawn > MAX_COMPARED && ` of the ${MAX_COMPARED} largest segments`;
  const dashed = isStacked ? "Bars on each other are not compared; lines are." : [`Dashed: ${comparisonOf(params.get("compare"))}`, many, "."];
  const compared = shiftOf(params.get("compare")) > 0 && [" ", dashed];
  const more = answer.left_out_segments > 0 && answer.series.length < MANY_SEGMENTS;
  return [step, compared, leftOut && ` ${leftOut}.`, more && [" ", h("button", { type: "button", class: "link", on: { click: () => address.go({ params: { series: MANY_SEGMENTS } }, { replace: true }) } }, `Show up to ${MANY_SEGMENTS}`)]];
}

/** @param {number} step_s */
const stepName = (step_s) => (step_s % 3600 === 0 ? `${step_s / 3600} h` : step_s % 60 === 0 ? `${step_s / 60} min` : `${step_s} s`);

/** @param {import("./words.js").Metric} metric */
function describeState({ state, error, refreshed_at, watermark }) {
  if (error) return h("span", { class: "error" }, icon("warning"), `The last refresh failed: ${error}`);
  const refreshed = refreshed_at ? [`refreshed ${times.relative(refreshed_at)}`, watermark ? `, materialized up to ${times.format(watermark)}` : ""] : "not refreshed yet";
  return [state === "checking" ? "Late lines have arrived and are being counted; " : "Up to date; ", refreshed, "."];
}

/** @param {Answer} answer */
function recordsInSql({ metric, start, step_s, series }) {
  const [first, length] = [times.toMs(start), series[0]?.values.length ?? 0];
  const sql = start === null ? null : sqlOf(metric, new Date(first).toISOString(), new Date(first + length * step_s * 1000).toISOString());
  return sql && h("a", { class: "button", href: address.href({ view: "sql", params: { sql } }) }, icon("search"), "Records in SQL");
}

/** The address of the records of a step, or of all steps; null if no query can say which they are.
 * @param {Answer} answer @param {string | null | undefined} segment @param {number | undefined} at */
function recordsOf({ metric, start, step_s, series }, segment, at) {
  const q = queryOf(metric, metric.segment ? segment : undefined);
  if (q === null || !start) return null;
  const length = at === undefined ? (series[0]?.values.length ?? 1) : 1;
  const since = times.toMs(start) + (at ?? 0) * step_s * 1000;
  const [first, last] = [since, since + length * step_s * 1000].map((ms) => new Date(ms).toISOString().replace(".000Z", "Z"));
  const own = at === undefined ? range.read(RANGE) : { since: first, until: last };
  return address.href({ view: "search", params: { q, ...own, group: metric.group } });
}
