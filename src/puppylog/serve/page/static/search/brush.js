// The cursor of a histogram: a tooltip, and a brush for mouse, touch and keyboard that chooses a range of time.
import { fill, h, visible } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";

const DRAG_PX = 4; // a shorter movement is a click
const KEYS = "Arrows move, Shift and arrows choose a range, Enter zooms into the range, Escape goes back.";

/**
 * @param {HTMLElement} plot the element with the bars
 * @param {any} app
 * @param {{getBars: () => import("./bars.js").Bars|null, onZoom: (from: number, to: number) => void, onBack: () => void}} options
 */
export function openBrush(plot, app, { getBars, onZoom, onBack }) {
  const tip = h("div", { class: "tip", hidden: true, aria: { hidden: "true" } });
  const cursor = h("div", { class: "brush-cursor", hidden: true });
  const band = h("div", { class: "brush-band", hidden: true });
  plot.append(cursor, band, tip);
  for (const [key, value] of Object.entries({ tabindex: "0", role: "slider", "aria-label": `Time. ${KEYS}`, "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0" }))
    plot.setAttribute(key, value);
  let at = -1; // the step under the cursor
  let from = -1; // the step at which the chosen range begins or ends; the other end is the cursor
  /** @type {{x: number, step: number}|null} */
  let drag = null;

  /** @param {PointerEvent} event */
  function stepOf(event) {
    const bars = getBars();
    if (!bars) return -1;
    const box = plot.getBoundingClientRect();
    const step = Math.floor(((event.clientX - box.left) / box.width) * bars.totals.length);
    return Math.min(bars.totals.length - 1, Math.max(0, step));
  }

  /** @param {number} start @param {number} end */
  function rangeText(start, end) {
    const bars = getBars();
    if (!bars) return "";
    const first = bars.start + start * bars.step;
    const last = bars.start + (end + 1) * bars.step;
    const seconds = bars.step < 60_000;
    const isSameDay = app.times.format(first).slice(0, 10) === app.times.format(last).slice(0, 10);
    return `${app.times.format(first, { seconds })} to ${app.times.format(last, { seconds, date: !isSameDay })}`;
  }

  function draw() {
    const bars = getBars();
    const hasRange = from >= 0 && at >= 0;
    cursor.hidden = !bars || at < 0 || hasRange;
    band.hidden = !bars || !hasRange;
    tip.hidden = !bars || at < 0;
    if (!bars || at < 0) return;
    const number = bars.totals.length;
    const [start, end] = hasRange ? [Math.min(from, at), Math.max(from, at)] : [at, at];
    for (const element of [cursor, band]) {
      element.style.left = `${(start / number) * 100}%`;
      element.style.width = `${((end - start + 1) / number) * 100}%`;
    }
    showTip(bars, start, end);
    plot.setAttribute("aria-valuemax", String(number - 1));
    plot.setAttribute("aria-valuenow", String(at));
    plot.setAttribute("aria-valuetext", `${rangeText(start, end)}: ${plural(sum(bars.totals, start, end), "record")}${bars.by ? `, ${describeSeries(bars, start, end)}` : ""}`);
  }

  /** @param {import("./bars.js").Bars} bars @param {number} start @param {number} end */
  function showTip(bars, start, end) {
    const rows = bars.by ? countSeries(bars, start, end).map(({ series, records }) =>
      h("div", { class: "tip-row" }, h("span", { class: "key-dot", style: { background: series.color } }), h("span", { class: "legend-label", dir: "auto" }, visible(series.label.slice(0, 100))), h("span", { class: "tip-count" }, count(records)))) : [];
    fill(tip, h("div", { class: "tip-head" }, rangeText(start, end)), h("div", { class: "tip-row tip-total" }, h("span", null, plural(sum(bars.totals, start, end), "record"))), rows);
    const middle = (((start + end + 1) / 2) / bars.totals.length) * plot.clientWidth;
    const width = tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(plot.clientWidth - width, middle > plot.clientWidth / 2 ? middle - width - 12 : middle + 12))}px`;
  }

  function reset() {
    at = from = -1;
    drag = null;
    plot.setAttribute("aria-valuetext", "No time is chosen");
    draw();
  }

  /** The bars are others. A range that is being chosen stays. */
  function refresh() {
    const last = (getBars()?.totals.length ?? 0) - 1;
    if (last < 0 || (!drag && !plot.matches(":focus-visible"))) return reset();
    at = Math.min(at, last);
    from = Math.min(from, last);
    draw();
  }

  function zoom() {
    const bars = getBars();
    if (!bars || at < 0) return;
    const [start, end] = from < 0 ? [at, at] : [Math.min(from, at), Math.max(from, at)];
    onZoom(bars.start + start * bars.step, bars.start + (end + 1) * bars.step);
  }

  /** @param {PointerEvent} event */
  function onDown(event) {
    if (event.button !== 0 || !getBars()) return;
    drag = { x: event.clientX, step: stepOf(event) };
    plot.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  function onMove(event) {
    at = stepOf(event);
    from = drag && Math.abs(event.clientX - drag.x) > DRAG_PX ? drag.step : -1;
    draw();
  }

  /** @param {PointerEvent} event */
  function onUp(event) {
    const isDragged = drag && from >= 0;
    drag = null;
    at = stepOf(event);
    if (isDragged) zoom();
    else draw();
  }

  function onLeave() {
    if (drag || plot.matches(":focus-visible")) return;
    reset();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const bars = getBars();
    if (!bars || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = bars.totals.length - 1;
    const page = Math.max(1, Math.round(last / 10));
    const now = at < 0 ? last : at;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageUp: now - page, PageDown: now + page, Home: 0, End: last };
    if (event.key in moves) {
      if (!event.shiftKey) from = -1;
      else if (from < 0) from = now;
      at = Math.min(last, Math.max(0, moves[event.key]));
      draw();
    } else if (event.key === "Enter") zoom();
    else if (event.key === "Escape" && from >= 0) {
      from = -1;
      draw();
    } else if (event.key === "Escape") onBack();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const control = new AbortController();
  const { signal } = control;
  plot.addEventListener("pointerdown", onDown, { signal });
  plot.addEventListener("pointermove", onMove, { signal });
  plot.addEventListener("pointerup", onUp, { signal });
  plot.addEventListener("pointercancel", reset, { signal });
  plot.addEventListener("pointerleave", onLeave, { signal });
  plot.addEventListener("dblclick", onBack, { signal });
  plot.addEventListener("keydown", onKey, { signal });
  plot.addEventListener("blur", reset, { signal });
  reset();
  return { draw, refresh, close: () => control.abort() };
}

/** @param {number[]} counts @param {number} start @param {number} end */
function sum(counts, start, end) {
  return counts.slice(start, end + 1).reduce((total, one) => total + one, 0);
}

/** @param {import("./bars.js").Bars} bars @param {number} start @param {number} end */
function countSeries(bars, start, end) {
  return bars.series.map((series) => ({ series, records: sum(series.counts, start, end) })).filter(({ records }) => records);
}

/** @param {import("./bars.js").Bars} bars @param {number} start @param {number} end */
function describeSeries(bars, start, end) {
  return countSeries(bars, start, end).map(({ series, records }) => `${count(records)} ${series.label.slice(0, 100)}`).join(", ");
}
