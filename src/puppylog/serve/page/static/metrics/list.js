// All metrics: what each measures, its newest values, and whether it is up to date.
import { alertsOf } from "./thresholds.js";
import { conditionOf, conditionTag } from "../alerts/condition.js";
import * as address from "../lib/address.js";
import * as api from "../lib/api.js";
import { fill, h, icon, logText } from "../lib/dom.js";
import { keyed } from "../lib/keyed.js";
import * as numbers from "../lib/numbers.js";
import { poll } from "../lib/polling.js";
import { query } from "../lib/query.js";
import * as range from "../lib/range.js";
import * as times from "../lib/times.js";
import { askAlerts, askMetrics, askSeries, isLastOpen } from "./asking.js";
import { newestOf } from "./legend.js";
import { RANGE } from "./one.js";
import { sparkline } from "./spark.js";
import { formatValue, unitOf } from "./units.js";
import { describeMetric } from "./words.js";

/** @typedef {(series: import("./legend.js").Series[], leftOut: number) => void} Draw */
/** @typedef {{metric: import("./words.js").Metric, alerts: import("../alerts/condition.js").AlertRow[]}} Item */

const POLL_MS = 10_000;
const SPARK_STEPS = 60;
const SPARK_SERIES = 4;
const AT_ONCE = 3;
/** A filter is shown if there are more metrics. */
const MANY = 8;

/**
 * @param {HTMLElement} container @param {import("../app.js").App} app
 * @returns {{update: () => void, close: () => void}}
 */
export function openList(container, app) {
  const control = app.range.control({ fallback: RANGE, onRefresh: () => draw(true) });
  const search = h("input", { type: "search", placeholder: "Filter metrics", aria: { label: "Filter metrics" }, hidden: true });
  const [list, empty] = [h("ul", { class: "metric-list" }), h("div", null)];
  const body = h("div", null, list, empty);
  const sparks = makeSparks();
  const show = keyed(list, (/** @type {Item} */ item) => item.metric.name, (item) => makeItem(item, sparks));
  fill(container, h("header", { class: "toolbar" }, h("h1", null, "Metrics"), search, control.element), body);
  const running = query(body);
  body.before(running.element);
  /** @type {Item[] | null} */
  let items = null;
  let asked = "";

  function filter() {
    if (search !== document.activeElement) search.value = address.read().params.get("filter") ?? "";
    const wanted = search.value.trim().toLowerCase();
    const found = (items ?? []).filter(({ metric }) => [metric.name, metric.property, metric.filter, metric.segment].some((text) => text?.toLowerCase().includes(wanted)));
    search.hidden = (items?.length ?? 0) <= MANY;
    show(found);
    fill(empty, items?.length ? found.length === 0 && h("p", { class: "empty-note" }, "No metric has this in its name or definition.") : items && makeStart());
  }

  /** @param {AbortSignal} signal */
  async function ask(signal) {
    const [metrics, { alerts }] = await Promise.all([askMetrics(signal), askAlerts(signal)]);
    return metrics.map((metric) => ({ metric, alerts: alertsOf(alerts, metric).map(([row]) => row) }));
  }

  /** @param {boolean} [isForced] draws the small charts again */
  async function draw(isForced = false) {
    sparks.refresh(isForced);
    items = (await running.run(ask)) ?? items;
    filter();
  }

  search.addEventListener("input", () => address.go({ params: { filter: search.value } }, { replace: true }));
  const stop = api.onBack(() => draw(true));
  const polling = poll(async (signal) => {
    if (items === null) return;
    items = await ask(signal);
    filter();
    if (range.read(RANGE).until === "") sparks.refresh(true);
  }, POLL_MS);
  return {
    update() {
      control.update();
      filter();
      const question = JSON.stringify(range.read(RANGE));
      if (question !== asked) draw();
      asked = question;
    },
    close() {
      for (const part of [running, control, sparks]) part.close();
      polling.stop();
      stop();
    },
  };
}

/** What is shown if there is no metric. */
function makeStart() {
  return h("div", { class: "empty-note" }, h("p", null, "There are no metrics yet. The first ones, which fit what the store has records of, are made by"), h("p", null, h("code", null, "puppylog monitor metrics create --default")));
}

/** @param {Item} first @param {ReturnType<typeof makeSparks>} sparks */
function makeItem(first, sparks) {
  const [link, about, state] = [h("a", { class: "metric-name" }), h("div", { class: "metric-about" }), h("div", { class: "metric-state" })];
  const [spark, newest] = [h("div", { class: "metric-spark" }), h("div", { class: "metric-newest" })];
  const node = h("li", null, h("div", { class: "metric-what" }, link, about), spark, newest, state);
  /** @param {Item} item */
  function update({ metric, alerts }) {
    const { params } = address.read();
    link.href = address.href({ view: "metrics", name: metric.name, params: { since: params.get("since"), until: params.get("until") } });
    fill(link, metric.name);
    fill(about, describeMetric(metric));
    const [urgent] = alerts.filter((row) => conditionOf(row) !== "ok");
    fill(state, urgent && conditionTag(conditionOf(urgent), urgent.state), stateOf(metric));
    sparks.watch(node, metric, (series, leftOut) => {
      fill(spark, sparkline(series));
      const text = series.length ? numbers.plural(series.length + leftOut, "segment") : "no values";
      fill(newest, series.length === 1 && !metric.segment ? formatValue(newestOf(series[0]), unitOf(metric)) : h("span", { class: "quiet" }, text));
    });
  }
  update(first);
  return { node, update };
}

/** @param {import("./words.js").Metric} metric */
function stateOf(metric) {
  if (metric.error) return h("span", { class: "error", title: metric.error }, icon("warning"), h("span", { class: "cut" }, logText(metric.error)));
  if (metric.state === "checking") return h("span", { class: "quiet" }, "counting late lines");
  return h("span", { class: "quiet" }, metric.refreshed_at ? `refreshed ${times.relative(metric.refreshed_at)}` : "not refreshed yet");
}

/** Asks for the small charts of those metrics that are seen, a few at once. */
function makeSparks() {
  /** @typedef {{metric: import("./words.js").Metric, draw: Draw, isSeen: boolean, isDrawn: boolean}} Watched */
  /** @type {Map<Element, Watched>} */
  const watched = new Map();
  let control = new AbortController();
  let asking = 0;
  let asked = "";
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const one = watched.get(entry.target);
      if (one) one.isSeen = entry.isIntersecting;
    }
    next();
  }, { rootMargin: "200px" });

  function next() {
    const free = [...watched].filter(([node, one]) => node.isConnected && one.isSeen && !one.isDrawn).slice(0, AT_ONCE - asking);
    for (const [, one] of free) draw(one);
  }

  /** @param {Watched} one */
  async function draw(one) {
    one.isDrawn = true;
    asking += 1;
    const { signal } = control;
    try {
      const answer = await askSeries(one.metric.name, { ...range.query(RANGE), steps: SPARK_STEPS, series: SPARK_SERIES }, signal);
      // A small chart cannot say that its last step is not over, and would seem to fall.
      const series = isLastOpen(answer) ? answer.series.map(({ segment, values }) => ({ segment, values: values.length > 2 ? values.slice(0, -1) : values })) : answer.series;
      if (!signal.aborted) one.draw(series, answer.left_out_segments);
    } catch (error) {
      if (!signal.aborted) one.draw([], 0); // the list's own request says what is wrong
    }
    asking -= 1;
    next();
  }

  return {
    /** @param {Element} node @param {import("./words.js").Metric} metric @param {Draw} drawSeries */
    watch(node, metric, drawSeries) {
      const before = watched.get(node);
      watched.set(node, { metric, draw: drawSeries, isSeen: before?.isSeen ?? false, isDrawn: before?.isDrawn ?? false });
      if (!before) observer.observe(node);
    },
    /** @param {boolean} isForced also if the range is the same */
    refresh(isForced) {
      const question = JSON.stringify(range.read(RANGE));
      if (question === asked && !isForced) return;
      if (question !== asked) {
        control.abort();
        control = new AbortController();
      }
      asked = question;
      for (const one of watched.values()) one.isDrawn = false;
      next();
    },
    close() {
      control.abort();
      observer.disconnect();
    },
  };
}
