// What a mouse and the arrow keys do on a chart.
import { countSteps, makeColumns, stepAt } from "./chart_data.js";
import { value } from "./numbers.js";
import * as times from "./times.js";

/** @typedef {import("./chart.js").Data} Data */

/** @param {number} since @param {number} until milliseconds @param {Data} data @param {(since: string, until: string) => void} onBrush */
export function tellBrush(since, until, data, onBrush) {
  const unit = data.step_s >= 10 ? 1000 : 1; // a range in whole seconds is easier to read
  const text = (/** @type {number} */ ms) => new Date(ms).toISOString().replace(".000Z", "Z");
  onBrush(text(Math.floor(since / unit) * unit), text(Math.ceil(until / unit) * unit));
}

/** Tell of clicks that are not the end of a brush. @param {HTMLElement} canvas @param {() => {plot: any, data: Data}} now
 * @param {(at: number, series: number) => void} onPick */
export function listenForClicks(canvas, now, onPick) {
  let downAt = 0;
  canvas.addEventListener("mousedown", (event) => (downAt = event.clientX), true);
  canvas.addEventListener("click", (event) => {
    const { plot, data } = now();
    const { idx, left } = plot.cursor;
    if (Math.abs(event.clientX - downAt) < 4 && left >= 0 && typeof idx === "number") onPick(idx, findNearest(plot, data, idx));
  });
}

/** The series at the pointer: that with the nearest value, or the stacked one under it. @param {any} plot @param {Data} data @param {number} at */
function findNearest(plot, data, at) {
  const columns = makeColumns(data).slice(1);
  if (data.stacked) columns.reverse();
  const tops = columns.map((values) => (values[at] === null ? Infinity : plot.valToPos(values[at], "y")));
  const under = data.stacked ? tops.findIndex((top) => top <= plot.cursor.top) : -1;
  const distances = tops.map((top) => Math.abs(top - plot.cursor.top));
  return under >= 0 ? under : Math.max(0, distances.indexOf(Math.min(...distances)));
}

/** Arrow keys on a chart. @param {HTMLElement} canvas @param {() => {plot: any, data: Data}} now
 * @param {((since: string, until: string) => void) | undefined} onBrush @param {(at: number | null) => void} showTip */
export function makeKeyboard(canvas, now, onBrush, showTip) {
  let at = -1;
  let anchor = -1;
  const reset = () => (at = anchor = -1);
  canvas.addEventListener("blur", () => {
    reset();
    showTip(null);
  });
  canvas.addEventListener("keydown", (event) => {
    const { plot, data } = now();
    const last = countSteps(data) - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to !== undefined && last >= 0) {
      const before = at;
      at = Math.max(0, Math.min(last, at < 0 && event.key === "ArrowLeft" ? last : to));
      anchor = event.shiftKey ? (anchor < 0 ? Math.max(0, before) : anchor) : -1;
      showKeyboard(plot, data, at, anchor);
      showTip(at);
      canvas.setAttribute("aria-description", `${times.format(stepAt(data, at))}: ${data.series.map((one) => `${one.label} ${(data.format ?? value)(one.values[at] ?? null)}`).join(", ")}`);
    } else if (event.key === "Enter" && onBrush && at >= 0) {
      const [low, high] = anchor < 0 ? [at, at] : [Math.min(at, anchor), Math.max(at, anchor)];
      tellBrush(stepAt(data, low), stepAt(data, high + 1), data, onBrush);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    isReading: () => at >= 0,
    /** Stay at the same time in new data. @param {Data} before */
    follow(before) {
      if (at < 0) return;
      const { plot, data } = now();
      const move = (/** @type {number} */ step) => Math.round((stepAt(before, step) - stepAt(data, 0)) / data.step_s / 1000);
      [at, anchor] = [move(at), anchor < 0 ? -1 : Math.max(0, move(anchor))];
      if (at < 0 || at >= countSteps(data)) return reset(), showTip(null);
      showKeyboard(plot, data, at, anchor);
      showTip(at);
    },
  };
}

/** @param {any} plot @param {Data} data @param {number} at @param {number} anchor */
function showKeyboard(plot, data, at, anchor) {
  const x = (/** @type {number} */ step) => plot.valToPos(stepAt(data, step) / 1000, "x");
  plot.setCursor({ left: x(at) + 1, top: 0 }, false);
  const [low, high] = anchor < 0 ? [0, -1] : [Math.min(at, anchor), Math.max(at, anchor)];
  const left = x(low);
  plot.setSelect({ left, width: high < low ? 0 : x(high + 1) - left, top: 0, height: plot.over.clientHeight }, false);
}
