// The records over time: bars, a brush that zooms, and a legend whose entries narrow the search.
import * as api from "../lib/api.js";
import { fill, h, visible } from "../lib/dom.js";
import { count, duration, plural } from "../lib/numbers.js";
import { drawBars, findTicks, readBars } from "./bars.js";
import { openBrush } from "./brush.js";
import { makeChoice } from "./choice.js";
import { toText } from "./condition.js";
import { openEmpty } from "./empty.js";
import { readChosen, stateOf } from "./query.js";
import { openPart } from "./tasks.js";

const HEIGHT = 88;
const SERIES = 8;
const MAX_SHOWN = 100; // characters of a value
const BY = [["", "by severity or status"], ["none", "all together"], ["severity", "by severity"], ["status_class", "by status class"], ["status_code", "by status code"], ["source", "by source"], ["host", "by host"], ["request_method", "by method"], ["request_route", "by route"]];

/**
 * @param {Element} container
 * @param {any} app
 * @param {import("./condition.js").Search} search
 * @param {{tasks: import("./tasks.js").Tasks, onError: (error: api.ApiError) => boolean}} view
 */
export function open(container, app, search, { tasks, onError }) {
  /** @type {import("./bars.js").Bars|null} */
  let bars = null;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const plot = h("div", { class: "histogram-plot", style: { height: `${HEIGHT}px` } }, svg);
  const axis = h("div", { class: "histogram-axis", aria: { hidden: "true" } });
  const most = h("div", { class: "histogram-most", aria: { hidden: "true" } });
  const summary = h("p", { class: "histogram-summary", aria: { live: "polite" } });
  const legend = h("ul", { class: "legend", aria: { label: "Values in the chart" } });
  const back = h("button", { type: "button", class: "link histogram-back", hidden: true, on: { click: goBack } }, "Back to the range before");
  const patterns = h("a", { class: "histogram-patterns" }, "Patterns of these records");
  const by = makeChoice(app, "by", "Colours of the chart", BY);
  const note = h("div", { class: "histogram-note" });
  const empty = h("div", { class: "histogram-empty", hidden: true });
  const chart = h("div", { class: "histogram-chart" }, plot, most, axis);
  const content = h("div", { class: "histogram-content" }, h("div", { class: "histogram-head" }, summary, patterns, back, legend, by), chart);
  fill(container, h("h2", { class: "visually-hidden" }, "Records over time"), content, empty, note);

  /** @type {string[]} the ranges before each zoom, the latest last */
  let zooms = [];
  let zoomed = ""; // the range of the latest zoom
  const brush = openBrush(plot, app, { getBars: () => bars, onZoom: zoom, onBack: goBack });
  const showEmpty = openEmpty(empty, app, search);
  const part = openPart({
    tasks, name: "histogram", thing: "the chart", content, note, onError,
    ask: (signal, budget_s) => api.get("histogram", { ...search.params(), steps: chooseSteps(), by: readBy(), series: SERIES, budget_s }, { signal }),
    show,
  });
  const observer = new ResizeObserver(draw);
  observer.observe(plot);

  function readBy() {
    const name = app.address.read().params.get("by");
    return name === "none" ? null : (name ?? "auto");
  }

  function chooseSteps() {
    const width = plot.clientWidth || 800;
    return width < 500 ? 48 : width < 1400 ? 90 : 150;
  }

  /** @param {any} answer */
  function show(answer) {
    bars = answer.records ? readBars(answer) : null;
    const { since, until } = app.range.read();
    const { q, group } = search.condition();
    patterns.setAttribute("href", app.address.href({ view: "patterns", params: { q, since, until, group } }));
    chart.hidden = by.hidden = patterns.hidden = !bars;
    empty.hidden = Boolean(bars || answer.counted_since);
    back.hidden = !zooms.length;
    summary.textContent = bars ? plural(bars.records, "record") : "No records";
    if (answer.counted_since) summary.append(` since ${app.times.format(answer.counted_since, { seconds: false })}, and earlier ones are being counted`);
    if (bars && answer.later) summary.append(`, and ${answer.later === 1 ? "one" : count(answer.later)} later than the chart`);
    summary.append(h("span", { class: "quiet" }, bars ? ` · a bar is ${duration(bars.step / 1000)} · ${duration(answer.took_s)}` : ""));
    showLegend();
    if (bars) draw();
    else if (!answer.counted_since) showEmpty();
    brush.refresh();
  }

  function showLegend() {
    const chosen = readChosen(search.condition().q ?? "") ?? [];
    const focused = [...legend.children].findIndex((one) => one.contains(document.activeElement));
    fill(legend, bars?.by ? bars.series.map((one) => h("li", null, makeEntry(one, chosen))) : null);
    /** @type {HTMLElement|null|undefined} */ (legend.children[focused]?.querySelector("button"))?.focus();
  }

  /** @param {import("./bars.js").Series} one @param {import("./scan.js").Test[]} chosen */
  function makeEntry(one, chosen) {
    const content = [h("span", { class: "key-dot", style: { background: one.color } }), h("span", { class: "legend-label", dir: "auto" }, visible(one.label.slice(0, MAX_SHOWN))), h("span", { class: "quiet" }, count(one.records))];
    if (one.isOther) return h("span", { class: "legend-entry", title: "Values that are counted together" }, content);
    const field = bars?.by ?? "";
    const isChosen = field !== "status_class" && stateOf(chosen, field, one.name) === "chosen";
    const click = (/** @type {MouseEvent} */ event) => {
      if (isChosen) search.removeValue(field, one.name);
      else if (event.altKey) search.excludeValue(field, one.name);
      else search.addValue(field, one.name);
    };
    const title = isChosen ? "Show the other values too" : "Show these records only (Alt: all others)";
    return h("button", { type: "button", class: "legend-entry", title, aria: { pressed: String(isChosen) }, on: { click } }, content);
  }

  function draw() {
    if (!bars || !plot.clientWidth) return;
    const width = plot.clientWidth;
    const { label } = drawBars(svg, bars, { width, height: HEIGHT });
    most.textContent = label;
    const end = bars.start + bars.step * bars.totals.length;
    const { start } = bars;
    const ticks = findTicks(start, end, Math.max(2, Math.floor(width / 90)), app.times);
    fill(axis, ticks.map(({ at, text }) => h("span", { style: { left: `${((at - start) / (end - start)) * 100}%` } }, text)));
    brush.draw();
  }

  /** The range in the address, as text. */
  function writeRange() {
    const params = app.address.read().params;
    return JSON.stringify([params.get("since"), params.get("until")]);
  }

  /** @param {number} from @param {number} to milliseconds */
  function zoom(from, to) {
    zooms.push(writeRange());
    zoomed = JSON.stringify([toText(from), toText(to)]);
    search.setRange(toText(from), toText(to));
  }

  function goBack() {
    const before = zooms[zooms.length - 1];
    if (!before) return;
    const [since, until] = JSON.parse(before);
    search.setRange(since, until);
  }

  /** Forgets the ranges that a person has left by other ways than this button. */
  function forgetZooms() {
    const now = writeRange();
    if (zooms.includes(now)) zooms = zooms.slice(0, zooms.indexOf(now));
    else if (now !== zoomed) zooms = [];
    zoomed = now;
  }

  const stop = search.onChange(() => {
    forgetZooms();
    part.load();
  });
  const unbind = app.keys.bind("h", "Go to the chart", () => plot.focus(), { group: "Search" });
  let known = readBy();
  by.update();
  return {
    load: part.load,
    /** The address has changed. */
    update() {
      by.update();
      if (readBy() === known) return;
      known = readBy();
      part.load();
    },
    close() {
      stop();
      unbind();
      part.close();
      brush.close();
      observer.disconnect();
    },
  };
}
