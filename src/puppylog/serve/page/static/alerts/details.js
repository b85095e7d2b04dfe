// One alert: its metric with the threshold, its states over time, its history with evidence, and what contacts were told.
import * as address from "../lib/address.js";
import * as api from "../lib/api.js";
import { chart } from "../lib/chart.js";
import { fill, h, icon, logText } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";
import * as range from "../lib/range.js";
import * as times from "../lib/times.js";
import { askHistory, askSeries, isEmpty } from "../metrics/asking.js";
import { colorOf, nameOf } from "../metrics/legend.js";
import { describeThreshold, scaleThreshold } from "../metrics/thresholds.js";
import { formatValue } from "../metrics/units.js";
import { acknowledge, actionButton, markRefused, silence } from "./actions.js";
import { stateBands } from "./bands.js";
import { compareUrgency, conditionOf, conditionTag, describeRule, describeValue, isProblem, matchesPattern, segmentName, severityTag } from "./condition.js";
import { historyList } from "./history.js";
import { alertsTable, describeNotes } from "./list.js";
import { notificationsTable } from "./notifications.js";
import { silencesPanel } from "./silences.js";

/**
 * @typedef {import("./condition.js").AlertRow} AlertRow
 * @typedef {import("../views/alerts.js").Known} Known
 * @typedef {{history: {transitions: import("./history.js").Transition[], has_more: boolean}, notifications: any, series: import("../metrics/asking.js").Answer, range: {since: number, until: number}}} Past
 */

const RANGE = "24h";
const HISTORY = 100;
const NOTIFICATIONS = 50;
const SERIES = 6;
/** The chart and the history are asked for again after so many updates of the states. */
const UPDATES = 3;

/**
 * @param {import("./actions.js").Context} context @param {(metric: string) => import("../metrics/units.js").Unit} unitOf
 * @param {string} name of the alert
 */
export function openDetails(context, unitOf, name) {
  const parts = makeParts(context, unitOf, name, () => load());
  let control = new AbortController();
  /** @type {Known | null} */
  let known = null;
  /** @type {Past | null} */
  let past = null;
  let updates = 0;
  let shown = "";

  const own = () => (known?.alerts ?? []).filter((row) => row.name === name).sort(compareUrgency);
  const chosen = () => {
    const segment = address.read().params.get("segment");
    return own().find((row) => row.segment === segment) ?? own()[0];
  };

  async function load() {
    const row = chosen();
    if (!row) return;
    control.abort();
    const { signal } = (control = new AbortController());
    updates = 0;
    try {
      past = await askPast(row, parts.chartContainer, signal);
      if (!signal.aborted) drawPast();
    } catch (error) {
      if (!signal.aborted) fill(parts.fault, /** @type {Error} */ (error).message);
    }
  }

  function drawPast() {
    const row = chosen();
    if (!past || !row) return;
    fill(parts.fault);
    parts.drawChart(row, past, unitOf(row.metric), known?.metrics.get(row.metric));
    parts.bands.update(own(), past.history.transitions, past.history.has_more, past.range);
    parts.history.update(past.history.transitions, past.history.has_more, unitOf(row.metric));
    parts.notifications.update(past.notifications.notifications, row.contacts, past.notifications.has_more);
  }

  return {
    node: parts.node,
    /** @param {Known} next */
    update(next) {
      const isFirst = known === null;
      known = next;
      const rows = own();
      parts.update(rows, chosen(), next);
      const text = JSON.stringify(rows.map((row) => [row.segment, row.state, row.since]));
      updates += 1;
      // Shortly after a transition, and now and then: what is past changes seldom.
      if (isFirst || text !== shown || (updates >= UPDATES && range.read(RANGE).until === "")) load();
      shown = text;
    },
    look() {
      parts.range.update();
      if (known) parts.update(own(), chosen(), known);
      load();
    },
    close() {
      control.abort();
      parts.close();
    },
  };
}

/** @param {AlertRow} row @param {HTMLElement} near @param {AbortSignal} signal @returns {Promise<Past>} */
async function askPast(row, near, signal) {
  const within = range.query(RANGE);
  const steps = Math.max(40, Math.min(300, Math.floor(near.clientWidth / 4)));
  const [history, notifications, series] = await Promise.all([
    askHistory(row.name, { ...within, limit: HISTORY }, signal),
    api.get(`alerts/${encodeURIComponent(row.name)}/notifications`, { limit: NOTIFICATIONS }, { signal }),
    askSeries(row.metric, { ...within, steps, series: SERIES, segment: row.segment }, signal),
  ]);
  const { since, until } = range.bounds(range.read(RANGE));
  const [first, length] = [times.toMs(series.start), series.series[0]?.values.length ?? 0];
  const end = Math.min(first + Math.max(1, length) * series.step_s * 1000, Math.max(Date.now(), first + 1000));
  const known = Number.isNaN(first) ? { since: since ?? Date.now() - 86_400_000, until: until ?? Date.now() } : { since: first, until: end };
  return { history, notifications, series, range: known };
}

/**
 * The elements of the view.
 * @param {import("./actions.js").Context} context @param {(metric: string) => import("../metrics/units.js").Unit} unitOf
 * @param {string} name @param {() => void} onRefresh
 */
function makeParts(context, unitOf, name, onRefresh) {
  const control = context.app.range.control({ fallback: RANGE, onRefresh });
  const [state, rule, fault, chartContainer] = [h("div", { class: "alert-now" }), h("p", { class: "alert-rule" }), h("p", { class: "error", role: "alert" }), h("div", null)];
  const [history, notifications, bands, silences] = [historyList(), notificationsTable(), stateBands(), silencesPanel(context, (one) => matchesPattern(one.alert, name))];
  const segments = alertsTable(context, unitOf);
  const unjudged = h("p", { class: "quiet" });
  const segmentsPart = h("section", { class: "stack", hidden: true }, h("h2", null, "Segments"), unjudged, segments.node);
  /** @type {AlertRow | undefined} */
  let row;
  const seen = actionButton(context, [icon("check"), "Acknowledge"], "Acknowledge", () => row && acknowledge(context, row));
  const mute = actionButton(context, [icon("mute"), "Silence"], "Silence", () => row && silence(context, { alert: name, segment: row.segment ?? "*" }));
  const missing = h("p", { class: "empty-note", hidden: true }, "There is no alert of this name. ", h("a", { href: "#/alerts" }, "All alerts"));
  const main = h(
    "div",
    { class: "stack alert-details", hidden: true },
    h("div", { class: "alert-head" }, state, h("div", { class: "row" }, seen, mute)),
    rule,
    fault,
    h("section", { class: "panel alert-chart", aria: { label: "The metric and the states" } }, chartContainer, bands.node),
    silences.node,
    segmentsPart,
    h("div", { class: "alert-past" }, h("section", { class: "stack" }, h("h2", null, "History"), history.node), h("section", { class: "stack" }, h("h2", null, "Messages to contacts"), notifications.node)),
  );
  const title = h("h1", null, h("a", { href: "#/alerts" }, "Alerts"), " / ", h("span", null, name));
  const drawing = makeChart(chartContainer);
  return {
    node: h("div", null, h("header", { class: "toolbar" }, title, control.element), missing, main),
    range: control, fault, chartContainer, history, notifications, bands,
    drawChart: drawing.draw,
    close() {
      control.close();
      drawing.close();
    },
    /** @param {AlertRow[]} rows @param {AlertRow} now @param {Known} known */
    update(rows, now, known) {
      row = now;
      missing.hidden = rows.length > 0;
      main.hidden = rows.length === 0;
      if (!now) return;
      seen.hidden = !isProblem(now) || now.acknowledged_by !== null;
      for (const button of [seen, mute]) markRefused(button, context);
      const link = h("a", { href: address.href({ view: "metrics", name: now.metric, params: rangeParams() }) }, now.metric);
      fillChanged(state, JSON.stringify(now), () => describeNow(now, unitOf(now.metric)));
      fillChanged(rule, JSON.stringify([now.metric, now.threshold, now.contacts, now.description, location.hash]), () => [now.description && [logText(now.description), h("br", null)], h("span", { class: "quiet" }, describeRule(now, unitOf(now.metric), link), ` ${now.contacts.length ? `Tells ${now.contacts.join(", ")}.` : "Tells nobody."}`)]);
      silences.update(known.silences);
      segmentsPart.hidden = rows.length < 2;
      const beyond = now.unjudged_segments ?? 0;
      fill(unjudged, beyond > 0 && `${numbers.plural(beyond, "more segment")} ${beyond === 1 ? "is" : "are"} not judged: there are too many.`);
      segments.update(rows.length < 2 ? [] : rows);
    },
  };
}

const rangeParams = () => ({ since: address.read().params.get("since"), until: address.read().params.get("until") });

/** Fills an element only if what it shows has changed, so that a selection in it stays. @param {HTMLElement} element @param {string} text @param {() => any} make */
function fillChanged(element, text, make) {
  if (element.dataset.shown === text) return;
  element.dataset.shown = text;
  fill(element, make());
}

/** @param {AlertRow} row @param {import("../metrics/units.js").Unit} unit */
function describeNow(row, unit) {
  const since = row.since && row.state !== null ? [" since ", times.timeElement(row.since)] : null;
  const name = segmentName(row);
  return [
    conditionTag(conditionOf(row), row.state),
    severityTag(row.severity),
    name && h("span", null, "segment ", name),
    h("span", null, describeValue(row, unit)),
    h("span", { class: "quiet" }, since),
    describeNotes(row),
    row.error && h("span", { class: "error" }, row.error),
  ];
}

/** The chart of the judged metric with the threshold and the transitions. @param {HTMLElement} container */
function makeChart(container) {
  /** @type {{update: (data: any) => void, close: () => void} | null} */
  let drawn = null;
  let shown = "";
  return {
    /** @param {AlertRow} row @param {Past} past @param {import("../metrics/units.js").Unit} unit @param {import("../metrics/words.js").Metric | undefined} metric */
    draw(row, past, unit, metric = past.series.metric) {
      const data = metric && chartData(row, past, metric);
      const text = JSON.stringify(data ?? null);
      if (text === shown) return;
      shown = text;
      if (!data) {
        drawn?.close();
        drawn = null;
        fill(container, h("p", { class: "empty-note" }, "The metric has no observations in this time."));
      } else {
        const format = (/** @type {number | null} */ value) => formatValue(value, unit);
        if (drawn) drawn.update({ ...data, format });
        else drawn = chart(container, { ...data, format, height: 220, onBrush: (since, until) => address.go(range.change(since, until)) });
      }
    },
    close: () => drawn?.close(),
  };
}

/** @param {AlertRow} row @param {Past} past @param {import("../metrics/words.js").Metric} metric */
function chartData(row, { series: answer, history, range: { until } }, metric) {
  if (answer.start === null || isEmpty(answer)) return null;
  const series = answer.series.map((one, index) => ({
    label: metric.segment ? nameOf(one.segment) : metric.name,
    color: colorOf(index),
    values: one.values,
  }));
  const value = scaleThreshold(row, metric, answer.step_s);
  const marks = history.transitions
    .filter((one) => one.segment === row.segment && (one.to_state === "firing" || one.from_state === "firing"))
    .map((one) => ({ at: one.at, label: "", color: one.to_state === "firing" ? "var(--firing)" : "var(--ok)" }));
  return { start: answer.start, end: until, step_s: answer.step_s, series, lines: [{ value, label: `fires ${describeThreshold(row, metric)}` }], marks, label: `${metric.name} with the threshold of ${row.name}` };
}
