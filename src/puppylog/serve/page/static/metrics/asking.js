// Metrics and alerts as the server tells them. It leaves out what is null; here it is null.
import * as api from "../lib/api.js";
import * as times from "../lib/times.js";
import { countsRecords } from "./words.js";

const METRIC = { segment: null, filter: null, group: null, of: null, formula: null, query: null, of_query: null, segment_field: null, unit: null, error: null, refreshed_at: null, watermark: null };
const ALERT = { segment: null, group: null, description: null, state: null, since: null, value: null, last_fired_at: null, evaluated_at: null, error: null, contacts: [], is_overdue: false, acknowledged_by: null, silence: null };
const TRANSITION = { segment: null, value: null, evidence: [], evidence_omitted: null };

/**
 * @typedef {object} Answer
 * @property {import("./words.js").Metric} metric
 * @property {string | null} start of the first step; null without an observation
 * @property {number} step_s
 * @property {import("./legend.js").Series[]} series the largest first
 * @property {number} left_out_segments
 */

/** @param {AbortSignal} signal @returns {Promise<import("./words.js").Metric[]>} */
export async function askMetrics(signal) {
  const { metrics } = await api.get("metrics", {}, { signal });
  return metrics.map((/** @type {any} */ one) => ({ ...METRIC, ...one }));
}

/** @param {AbortSignal} signal @returns {Promise<{alerts: import("../alerts/condition.js").AlertRow[], heartbeat: any}>} */
export async function askAlerts(signal) {
  const { alerts, heartbeat } = await api.get("alerts", {}, { signal });
  return { alerts: alerts.map((/** @type {any} */ one) => ({ ...ALERT, ...one })), heartbeat: heartbeat ?? null };
}

/**
 * The values of a metric. A step without a record is zero if the metric counts, but not while the step lasts.
 * @param {string} name @param {Record<string, any>} params @param {AbortSignal} signal @returns {Promise<Answer>}
 */
export async function askSeries(name, params, signal) {
  const answer = await api.get(`metrics/${encodeURIComponent(name)}`, params, { signal });
  const metric = { ...METRIC, ...answer.metric };
  const over = Math.floor((Date.now() - times.toMs(answer.start)) / 1000 / answer.step_s);
  const series = answer.series.map((/** @type {any} */ one) => ({
    segment: one.segment ?? null,
    values: countsRecords(metric) ? one.values.map((/** @type {number | null} */ value, /** @type {number} */ at) => value ?? (at < over ? 0 : null)) : one.values,
  }));
  return { metric, series, start: answer.start ?? null, step_s: answer.step_s ?? metric.period_s, left_out_segments: answer.left_out_segments ?? 0 };
}

/** @param {string} name of an alert @param {Record<string, any>} params @param {AbortSignal} signal
 * @returns {Promise<{transitions: import("../alerts/history.js").Transition[], has_more: boolean}>} */
export async function askHistory(name, params, signal) {
  const { transitions, has_more } = await api.get(`alerts/${encodeURIComponent(name)}/history`, params, { signal });
  return { transitions: transitions.map((/** @type {any} */ one) => ({ ...TRANSITION, ...one })), has_more };
}

/** @param {Answer} answer @returns {boolean} whether there is nothing to draw */
export const isEmpty = ({ start, series }) => start === null || series.every(({ values }) => values.every((value) => value === null));

/** @param {Answer} answer @returns {boolean} whether more records may come for the last step */
export const isLastOpen = ({ start, step_s, series }) => start !== null && times.toMs(start) + (series[0]?.values.length ?? 0) * step_s * 1000 > Date.now();
