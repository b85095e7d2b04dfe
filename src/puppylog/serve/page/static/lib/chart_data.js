// The steps of a chart.
import * as times from "./times.js";

/** @typedef {import("./chart.js").Data} Data */

/** Milliseconds of a step. @param {Data} data @param {number} at */
export function stepAt(data, at) {
  return times.toMs(data.start) + at * data.step_s * 1000;
}

/** @param {Data} data */
export const countSteps = (data) => Math.max(0, ...data.series.map((one) => one.values.length));

/** The columns of uPlot. Stacked series are sums, the largest first, so that each covers the one before.
 * @param {Data} data */
export function makeColumns(data) {
  const x = Array.from({ length: countSteps(data) }, (_, at) => stepAt(data, at) / 1000);
  if (!data.stacked) return [x, ...data.series.map((one) => one.values)];
  const sums = /** @type {number[][]} */ ([]);
  for (const one of data.series) sums.push(x.map((_, at) => (sums.at(-1)?.[at] ?? 0) + (one.values[at] ?? 0)));
  return [x, ...sums.reverse()];
}
