/** Charts over time, drawn by uPlot: lines or bars, stacked or not, with marks, thresholds and a brush. */
import { countSteps, makeColumns, stepAt } from "./chart_data.js";
import { listenForClicks, makeKeyboard, tellBrush } from "./chart_input.js";
import { fill, h } from "./dom.js";
import { compact, value } from "./numbers.js";
import * as times from "./times.js";

/**
 * @typedef {{label: string, color: string, values: (number | null)[], kind?: "line" | "bars", isDashed?: boolean}} Series color: any of CSS, such as "var(--series-1)"
 * @typedef {{at: string | number, label: string, color: string}} Mark a vertical line
 * @typedef {{value: number, label: string, color?: string}} Line a horizontal line
 * @typedef {object} Data
 * @property {string | number} start of the first step @property {number} step_s @property {Series[]} series
 * @property {string | number} [end] of the time axis; without it, bars end with their last step, and lines with its start
 * @property {boolean} [stacked] @property {Mark[]} [marks] @property {Line[]} [lines]
 * @property {string} [label] what the chart shows, for screen readers @property {(n: number | null) => string} [format] of values
 */

const { uPlot } = /** @type {any} */ (globalThis);
const TWIN_ROWS = 200;
const FLAT = 5; // a threshold so many times as high as the values is named at the upper edge, so that the values keep their shape

/**
 * Draw a chart that is as wide as its container.
 * @param {HTMLElement} container @param {Data & {onBrush?: (since: string, until: string) => void, onHover?: (at: number | null) => void, onPick?: (at: number, series: number) => void, height?: number}} options
 *   onBrush: a range was chosen, by mouse, touch or Shift and arrows: RFC 3339; onHover: the pointer or an arrow key is
 *   at a step, or at none; onPick: a step was clicked, and the series that is nearest to the pointer
 * @returns {{update: (data: Partial<Data>) => void, close: () => void}}
 */
export function chart(container, { onBrush, onHover, onPick, height = 160, ...first }) {
  /** @type {Data} */
  let data = first;
  const canvas = h("div", { class: onBrush ? "chart brushes" : "chart", tabindex: 0, role: "img" });
  const tip = h("div", { class: "chart-tip", hidden: true });
  const twin = h("div", { class: "visually-hidden" });
  fill(container, canvas, tip, twin);
  let plot = /** @type {any} */ (null);
  /** What came while the mouse is pressed: a new drawing would end the brush. @type {Partial<Data> | null} */
  let waiting = null;
  let isPressed = false;
  const control = new AbortController();
  canvas.addEventListener("mousedown", () => (isPressed = true), true);
  addEventListener("mouseup", () => setTimeout(release), { signal: control.signal });

  function release() {
    isPressed = false;
    if (waiting) take();
  }

  function take() {
    const before = data;
    data = { ...data, ...waiting };
    waiting = null;
    draw();
    setTimeout(() => control.signal.aborted || keyboard.follow(before)); // uPlot knows its scales a moment later
  }

  function draw() {
    const { left, top } = plot?.cursor ?? { left: -1, top: -1 };
    plot?.destroy();
    const width = canvas.clientWidth || container.clientWidth || 300;
    plot = new uPlot(makeOptions(canvas, data, { width, height, onBrush, onCursor: showTip }), makeColumns(data), canvas);
    canvas.setAttribute("aria-label", `${data.label ?? "Chart"}. ${data.series.map((one) => one.label).join(", ")}. Arrow keys read the values${onBrush ? "; with Shift they choose a range, Enter shows it" : ""}.`);
    fill(twin, makeTwin(data));
    if (left >= 0 && !keyboard.isReading()) plot.setCursor({ left, top });
  }

  /** @param {number | null} at index of a step */
  function showTip(at) {
    tip.hidden = at === null;
    onHover?.(at);
    if (at === null) return;
    const format = data.format ?? value;
    const rows = data.series.filter((one) => (one.values[at] ?? null) !== null && (!data.stacked || one.values[at] !== 0));
    fill(tip, h("strong", null, times.format(stepAt(data, at))), rows.map((one) => h("div", null, h("i", { style: { background: one.color } }), h("span", null, one.label), h("b", null, format(one.values[at])))));
    const x = plot.valToPos(stepAt(data, at) / 1000, "x") + plot.over.offsetLeft;
    tip.style.left = `${x > canvas.clientWidth / 2 ? x - tip.offsetWidth - 12 : x + 12}px`;
  }

  if (onPick) listenForClicks(canvas, () => ({ plot, data }), onPick);
  const keyboard = makeKeyboard(canvas, () => ({ plot, data }), onBrush, showTip);
  const observer = new ResizeObserver(() => {
    const width = canvas.clientWidth;
    if (plot && width && width !== plot.width) plot.setSize({ width, height });
  });
  observer.observe(canvas);
  const theme = new MutationObserver(draw);
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", draw);
  draw();
  return {
    update(next) {
      waiting = { ...waiting, ...next };
      if (!isPressed) take();
    },
    close() {
      control.abort();
      observer.disconnect();
      theme.disconnect();
      scheme.removeEventListener("change", draw);
      plot?.destroy();
      fill(container);
    },
  };
}

/** The colour that a canvas can use. @param {HTMLElement} near @param {string} color */
function resolve(near, color) {
  const probe = h("i", { style: { color } });
  near.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {HTMLElement} near @param {Data} data @param {any} own */
function makeOptions(near, data, { width, height, onBrush, onCursor }) {
  const paint = (/** @type {string} */ color) => resolve(near, color);
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { font, stroke: paint("var(--text-quiet)"), grid: { stroke: paint("var(--grid)"), width: 1 }, ticks: { show: false } };
  const ordered = data.stacked ? [...data.series].reverse() : data.series;
  return {
    width, height, padding: [8, 8, 0, 0], legend: { show: false }, scales: makeScales(data),
    series: [{}, ...ordered.map((one) => makeSeries(one, paint))],
    axes: [
      { ...axis, size: 28, values: (/** @type {any} */ _u, /** @type {number[]} */ at) => labelTimes(at), space: 80 },
      { ...axis, size: 52, values: (/** @type {any} */ _u, /** @type {number[]} */ all) => all.map((one) => (data.format ?? compact)(one)), space: 32 },
    ],
    cursor: { y: false, points: { show: !data.stacked }, drag: { x: Boolean(onBrush), y: false, setScale: false, dist: 4 } },
    hooks: {
      setCursor: [(/** @type {any} */ u) => onCursor(u.cursor.left < 0 ? null : (u.cursor.idx ?? null))],
      setSelect: [(/** @type {any} */ u) => brush(u, data, onBrush)],
      draw: [(/** @type {any} */ u) => drawMarks(u, data, paint)],
    },
  };
}

/** @param {Data} data */
function makeScales(data) {
  const thresholds = (data.lines ?? []).map((one) => one.value);
  const last = stepAt(data, countSteps(data)) / 1000;
  const isBars = data.series.some((one) => one.kind === "bars");
  return {
    x: { time: true, range: () => [stepAt(data, 0) / 1000, data.end ? times.toMs(data.end) / 1000 : isBars ? last : Math.max(last - data.step_s, stepAt(data, 0) / 1000 + 1)] },
    y: { range: (/** @type {any} */ _u, /** @type {number | null} */ low, /** @type {number | null} */ high) => [Math.min(0, low ?? 0), findTop(high ?? 0, thresholds) * 1.05 || 1] },
  };
}

/** The highest value to show: of the values, and of the thresholds that do not flatten them. @param {number} high @param {number[]} thresholds */
function findTop(high, thresholds) {
  return Math.max(high, ...thresholds.filter((one) => high <= 0 || one <= high * FLAT));
}

/** @param {Series} one @param {(color: string) => string} paint */
function makeSeries(one, paint) {
  const color = paint(one.color);
  if (one.kind === "bars")
    return { label: one.label, fill: color, stroke: color, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.9, Infinity], align: 1 }) };
  return { label: one.label, stroke: color, width: 1.5, dash: one.isDashed ? [4, 4] : undefined, points: { size: 5, fill: color, filter: (/** @type {any} */ _u, /** @type {number} */ _at, /** @type {boolean} */ isShown) => listLone(one.values, isShown) } };
}

/** Which values to draw as points: if there is little space, those without a neighbour, which no line shows.
 * @param {(number | null)[]} values @param {boolean} hasSpace */
function listLone(values, hasSpace) {
  const isGap = (/** @type {number} */ at) => (values[at] ?? null) === null;
  return values.flatMap((_, at) => (!isGap(at) && (hasSpace && values.length <= 40 || (isGap(at - 1) && isGap(at + 1))) ? [at] : []));
}

/** @param {any} u @param {Data} data @param {((since: string, until: string) => void) | undefined} onBrush */
function brush(u, data, onBrush) {
  if (!onBrush || u.select.width < 4) return;
  const [since, until] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
  u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  tellBrush(since * 1000, Math.max(until * 1000, since * 1000 + 1000), data, onBrush);
}

/** @param {any} u @param {Data} data @param {(color: string) => string} paint */
function drawMarks(u, data, paint) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textAlign = "left";
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.lineWidth = devicePixelRatio;
  let above = -2; // where the next name of a threshold above the chart stands
  for (const line of data.lines ?? []) {
    const y = Math.round(u.valToPos(line.value, "y", true));
    const isAbove = y < bbox.top;
    const [at, label] = isAbove ? [bbox.top + (above += 13) * devicePixelRatio, `${line.label} ↑`] : [y - 4 * devicePixelRatio, line.label];
    const ends = isAbove ? [bbox.left, bbox.top, bbox.left, bbox.top] : [bbox.left, y, bbox.left + bbox.width, y];
    drawLine(ctx, paint(line.color ?? "var(--firing)"), ends, label, [bbox.left + 4 * devicePixelRatio, at]);
  }
  for (const mark of data.marks ?? []) {
    const x = Math.round(u.valToPos(times.toMs(mark.at) / 1000, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const width = ctx.measureText(mark.label).width + 4 * devicePixelRatio;
    const left = x + width > bbox.left + bbox.width ? x - width : x + 4 * devicePixelRatio;
    drawLine(ctx, paint(mark.color), [x, bbox.top, x, bbox.top + bbox.height], mark.label, [left, bbox.top + 12 * devicePixelRatio]);
  }
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {string} color @param {number[]} ends @param {string} label @param {number[]} at */
function drawLine(ctx, color, [x0, y0, x1, y1], label, [x, y]) {
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
  ctx.fillText(label, x, y);
}

/** Labels of the time axis: the day where it changes. @param {number[]} seconds */
function labelTimes(seconds) {
  const needsSeconds = seconds.length > 1 && seconds[1] - seconds[0] < 60;
  const isDays = seconds.length > 1 && seconds[1] - seconds[0] >= 86400;
  let day = "";
  return seconds.map((one) => {
    const text = times.format(one * 1000, { seconds: needsSeconds });
    const isNewDay = day !== "" && day !== text.slice(0, 10);
    day = text.slice(0, 10);
    if (isDays) return day;
    return isNewDay ? day.slice(5) : text.slice(11);
  });
}

/** A table with the values, for screen readers. @param {Data} data */
function makeTwin(data) {
  const steps = Math.min(countSteps(data), TWIN_ROWS);
  const format = data.format ?? value;
  return h(
    "table", null,
    h("caption", null, data.label ?? "Chart"),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Time"), data.series.map((one) => h("th", { scope: "col" }, one.label)))),
    h("tbody", null, Array.from({ length: steps }, (_, at) => h("tr", null, h("th", { scope: "row" }, times.format(stepAt(data, at))), data.series.map((one) => h("td", null, format(one.values[at] ?? null)))))),
  );
}
