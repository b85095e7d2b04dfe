// The condition of an alert, its urgency, and its rule in words.
import { h, icon, logText } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";
import { formatValue } from "../metrics/units.js";

/**
 * A row of the list: an alert, or one segment of an alert that judges each segment.
 * @typedef {object} AlertRow
 * @property {string} name
 * @property {string} metric
 * @property {string | null} group
 * @property {string} severity
 * @property {string | null} description
 * @property {string | null} segment
 * @property {string | null} [segment_name] the source of the stream, if the segments are streams
 * @property {boolean} [each_segment]
 * @property {string | null} state
 * @property {string | null} since
 * @property {number | null} value
 * @property {string} statistic
 * @property {string} comparison
 * @property {number} threshold
 * @property {number} window_s
 * @property {number} for_s
 * @property {string | null} last_fired_at
 * @property {string | null} evaluated_at
 * @property {string | null} error
 * @property {string[]} contacts
 * @property {boolean} is_overdue
 * @property {number} [unjudged_segments] segments beyond the number that an alert judges
 * @property {string | null} acknowledged_by
 * @property {Silence | null} silence
 * @typedef {{name: string, alert: string, segment: string, starts_at: string, ends_at: string, author: string, comment: string, is_declared?: boolean}} Silence
 * @typedef {"firing" | "pending" | "no_data" | "failed" | "overdue" | "silenced" | "unjudged" | "ok"} Condition
 */

/** From the most urgent condition to the least: its words and its sign. @type {Record<Condition, [string, "bell" | "clock" | "help" | "warning" | "mute" | "check"]>} */
export const CONDITIONS = {
  firing: ["Firing", "bell"],
  pending: ["Pending", "clock"],
  no_data: ["No data", "help"],
  failed: ["Cannot be judged", "warning"],
  overdue: ["Not evaluated", "warning"],
  silenced: ["Silenced", "mute"],
  unjudged: ["Not judged yet", "clock"],
  ok: ["OK", "check"],
};
const ORDER = Object.keys(CONDITIONS);
const SEVERITIES = ["critical", "error", "warning", "info"];

/** @type {Record<string, string>} */
export const COMPARED = { ">": "above", ">=": "at least", "<": "below", "<=": "at most" };
/** @type {Record<string, string>} */
const STATISTICS = { avg: "the average", sum: "the sum", min: "the smallest value", max: "the largest value" };

/**
 * @param {AlertRow} row
 * @returns {Condition}
 */
export function conditionOf(row) {
  if (row.error) return "failed";
  if (row.state === null || row.state === undefined) return "unjudged";
  if (row.is_overdue) return "overdue";
  if (row.state === "ok") return "ok";
  if (row.silence) return "silenced";
  return /** @type {Condition} */ (row.state in CONDITIONS ? row.state : "unjudged");
}

/** Whether people are told of this state, so that it can be acknowledged. @param {AlertRow} row */
export const isProblem = (row) => row.state === "firing" || row.state === "no_data";

/**
 * For sorting: the most urgent first, then by severity, the newest first.
 * @param {AlertRow} a
 * @param {AlertRow} b
 */
export function compareUrgency(a, b) {
  return (
    ORDER.indexOf(conditionOf(a)) - ORDER.indexOf(conditionOf(b)) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    (conditionOf(a) === "ok" ? 0 : (b.since ?? "").localeCompare(a.since ?? "")) ||
    a.name.localeCompare(b.name) ||
    (a.segment ?? "").localeCompare(b.segment ?? "")
  );
}

/**
 * The condition as a sign and a word; a silenced row also says what is silenced.
 * @param {Condition} condition
 * @param {string | null} [state]
 */
export function conditionTag(condition, state = null) {
  const [word, sign] = CONDITIONS[condition];
  const of = condition === "silenced" && state ? `, ${stateWord(state).toLowerCase()}` : "";
  return h("span", { class: "alert-state", data: { condition } }, icon(sign), `${word}${of}`);
}

/** @param {string} state */
export const stateWord = (state) => (state in CONDITIONS ? CONDITIONS[/** @type {Condition} */ (state)][0] : state);

/** @param {string} severity */
export const severityTag = (severity) => h("span", { class: "alert-severity", data: { severity } }, severity);

/**
 * Such as "42, above 10", or "3, fires above 10".
 * @param {AlertRow} row
 * @param {import("../metrics/units.js").Unit} unit
 */
export function describeValue(row, unit) {
  const limit = `${COMPARED[row.comparison] ?? row.comparison} ${formatValue(row.threshold, unit)}`;
  const value = row.value === null ? "no observation" : formatValue(row.value, unit);
  return row.state === "firing" || row.state === "pending" ? [h("strong", null, value), `, ${limit}`] : [value, `, fires ${limit}`];
}

/**
 * Such as "Fires when the average of errors over 2 min is above 10 for 5 min".
 * @param {AlertRow} row
 * @param {import("../metrics/units.js").Unit} unit
 * @param {Node} metric the metric's name, perhaps as a link
 */
export function describeRule(row, unit, metric) {
  const limit = `${COMPARED[row.comparison] ?? row.comparison} ${formatValue(row.threshold, unit)}`;
  const wait = row.for_s ? ` for ${numbers.duration(row.for_s)}` : "";
  const each = row.each_segment ?? row.segment !== null ? ", judged for each segment" : "";
  return [`Fires when ${STATISTICS[row.statistic] ?? row.statistic} of `, metric, ` over ${numbers.duration(row.window_s)} is ${limit}${wait}${each}.`];
}

/** The segment's name, or null for an alert that judges all segments together. @param {AlertRow} row */
export function segmentName(row) {
  if (row.segment === null) return row.each_segment && row.state !== null ? h("span", { class: "quiet" }, "(no value)") : null;
  return logText(row.segment_name ?? row.segment);
}

/**
 * Whether the whole text matches a pattern of a silence: * is any text, ? any character; only * matches null.
 * @param {string} pattern
 * @param {string | null} text
 */
export function matchesPattern(pattern, text) {
  if (text === null) return /^\*+$/.test(pattern);
  let [at, star, tried, start] = [0, -1, 0, 0]; // without backtracking further than the last star
  while (at < text.length) {
    if (pattern[start] === "*") [star, tried] = [start++, at];
    else if (pattern[start] === "?" || pattern[start] === text[at]) [at, start] = [at + 1, start + 1];
    else if (star < 0) return false;
    else [start, at] = [star + 1, (tried += 1)];
  }
  return /^\**$/.test(pattern.slice(start));
}
