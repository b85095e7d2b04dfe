// The thresholds of the alerts that judge a metric, as lines on its chart.
import { COMPARED, conditionOf, conditionTag } from "../alerts/condition.js";
import * as address from "../lib/address.js";
import { h, visible } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";
import { formatValue, unitOf } from "./units.js";
import { addsUp } from "./words.js";

/** So many marks a chart has. */
const MAX_MARKS = 5;

/**
 * The threshold as a value of a step of the chart. The value of a count or a sum grows with the step, and an alert's sum
 * is of its whole window, so the threshold is brought to the length of the step.
 * @param {import("../alerts/condition.js").AlertRow} alert
 * @param {import("./words.js").Metric} metric
 * @param {number} step_s
 */
export function scaleThreshold(alert, metric, step_s) {
  if (!addsUp(metric)) return alert.statistic === "sum" ? (alert.threshold * metric.period_s) / alert.window_s : alert.threshold;
  return (alert.threshold * step_s) / (alert.statistic === "sum" ? alert.window_s : metric.period_s);
}

/**
 * Such as "above 10 per 1 min": a count and a sum are of a time, which is not that of the chart's steps.
 * @param {import("../alerts/condition.js").AlertRow} alert @param {import("./words.js").Metric} metric
 */
export function describeThreshold(alert, metric) {
  const per = addsUp(metric) ? ` per ${numbers.duration(alert.statistic === "sum" ? alert.window_s : metric.period_s)}` : "";
  return `${COMPARED[alert.comparison] ?? alert.comparison} ${formatValue(alert.threshold, unitOf(metric))}${per}`;
}

/**
 * Lines for the chart: one for each alert.
 * @param {import("../alerts/condition.js").AlertRow[]} alerts rows of all alerts
 * @param {import("./words.js").Metric} metric
 * @param {number} step_s
 */
export function thresholdLines(alerts, metric, step_s) {
  return alertsOf(alerts, metric).map(([row]) => ({
    value: scaleThreshold(row, metric, step_s),
    label: `${row.name}: ${describeThreshold(row, metric)}`,
    color: conditionOf(row) === "firing" ? "var(--firing)" : "var(--text-quiet)",
  }));
}

/**
 * Marks for the chart: since when alerts fire.
 * @param {import("../alerts/condition.js").AlertRow[]} alerts rows of all alerts @param {import("./words.js").Metric} metric
 */
export function firingMarks(alerts, metric) {
  /** @type {Map<string, import("../alerts/condition.js").AlertRow[]>} */
  const together = new Map(); // segments of an alert often begin to fire at one time
  for (const row of alertsOf(alerts, metric).flat().filter((one) => conditionOf(one) === "firing")) {
    const key = `${row.name} ${row.since}`;
    together.set(key, [...(together.get(key) ?? []), row]);
  }
  return [...together.values()].slice(0, MAX_MARKS).map(([row, ...others]) => {
    const segment = row.segment === null ? "" : ` ${visible(row.segment_name ?? row.segment)}`;
    return { at: row.since ?? "", label: `${row.name} fires${others.length ? `, ${others.length + 1} segments` : segment}`, color: "var(--firing)" };
  });
}

/**
 * The alerts that judge the metric, with their conditions: links.
 * @param {import("../alerts/condition.js").AlertRow[]} alerts @param {import("./words.js").Metric} metric
 * @param {import("./units.js").Unit} unit
 */
export function alertLinks(alerts, metric, unit) {
  return alertsOf(alerts, metric).map((rows) => {
    const [row] = rows;
    const firing = rows.filter((one) => conditionOf(one) === "firing").length;
    return h(
      "li",
      null,
      conditionTag(conditionOf(row), row.state),
      " ",
      h("a", { href: address.href({ view: "alerts", name: row.name }) }, row.name),
      h("span", { class: "quiet" }, ` ${COMPARED[row.comparison] ?? row.comparison} ${formatValue(row.threshold, unit)} over ${numbers.duration(row.window_s)}${firing > 1 ? `, ${firing} segments` : ""}`),
    );
  });
}

/** The rows of each alert of a metric, the most urgent row first. @param {import("../alerts/condition.js").AlertRow[]} alerts @param {{name: string}} metric */
export function alertsOf(alerts, metric) {
  /** @type {Map<string, import("../alerts/condition.js").AlertRow[]>} */
  const found = new Map();
  for (const row of alerts.filter((one) => one.metric === metric.name)) found.set(row.name, [...(found.get(row.name) ?? []), row]);
  return [...found.values()];
}
