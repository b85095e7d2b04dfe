/**
 * The result as a chart, if its first column is a time and others are numbers.
 */

import { chart } from "../lib/chart.js";
import { h } from "../lib/dom.js";
import { toSeries } from "./values.js";

/** @param {{columns: any[], rows: unknown[][]}} answer @returns {{element: HTMLElement | null, close: () => void}} */
export function resultChart(answer) {
  const found = toSeries(answer);
  if (!found) return { element: null, close: () => {} };
  const container = h("div", { class: "sql-chart" });
  const series = found.series.map((one, index) => ({ ...one, color: `var(--series-${(index % 8) + 1})`, kind: /** @type {"line"} */ ("line") }));
  const element = h("details", { open: true }, h("summary", {}, "Chart"), container);
  let drawn = null;
  // The chart measures its container, which has a width only in the document.
  const frame = requestAnimationFrame(() => {
    drawn = chart(container, { start: found.start, step_s: found.step_s, series, height: 180, label: "The result" });
  });
  const close = () => {
    cancelAnimationFrame(frame);
    drawn?.close();
  };
  return { element, close };
}
