// What a metric measures, in words.
import * as address from "../lib/address.js";
import { h, logText } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";

/**
 * @typedef {object} Metric
 * @property {string} name
 * @property {string} statistic
 * @property {string} property
 * @property {number} period_s
 * @property {string | null} segment
 * @property {string | null} filter
 * @property {string | null} group
 * @property {string | null} [of]
 * @property {string | null} [formula]
 * @property {string | null} [unit]
 * @property {string | null} [query] finds the records that the metric takes; null if no query can say it
 * @property {string | null} [of_query] of a ratio: finds the records that it is the share of
 * @property {string | null} [segment_field] the field whose values the segments are; null if they are computed
 * @property {string} state
 * @property {string | null} refreshed_at
 * @property {string | null} watermark
 * @property {string | null} error
 */

const OF_PROPERTY = {
  sum: "Sum of",
  avg: "Average of",
  min: "Smallest",
  max: "Largest",
  stddev: "Standard deviation of",
  variance: "Variance of",
  distinct: "Different values of",
};

/** @param {string} text */
const code = (text) => h("code", null, logText(plain(text)));

/** An expression for people: an attribute by its name alone. @param {string} text */
const plain = (text) =>
  text.replace(/CAST\((attributes ->> '[^']+') AS DOUBLE PRECISION\)/g, "$1").replace(/attributes ->> '([^']+)'|\battributes\.(?=\w)/g, "$1");

/** A formula in which each metric is a link. @param {string} formula */
const linked = (formula) => h("code", null, formula.split(/([A-Za-z_]\w*)/).map((part, index) => (index % 2 ? h("a", { href: address.href({ view: "metrics", name: part }) }, part) : part)));

/**
 * @param {Metric} metric
 * @param {boolean} [hasLinks] whether the metrics in a formula are links
 * @returns {(string | Node)[]} a phrase such as "Average of duration_ms, each minute, for each host"
 */
export function describeMetric(metric, hasLinks = false) {
  const words = [...statisticWords(metric, hasLinks), `, in steps of ${numbers.duration(metric.period_s)}`];
  if (metric.segment) words.push(", for each ", code(metric.segment));
  if (metric.filter) words.push(", where ", code(metric.query ?? metric.filter));
  if (metric.group) words.push(", in the group ", code(metric.group));
  return words;
}

/** @param {Metric} metric @param {boolean} hasLinks */
function statisticWords(metric, hasLinks) {
  const { statistic, property } = metric;
  if (statistic === "derived") return ["Computed as ", hasLinks ? linked(metric.formula ?? property) : code(metric.formula ?? property)];
  if (statistic === "ratio") return ["Share of the records that match ", code(metric.of_query ?? metric.of ?? "")];
  if (statistic === "count") return property === "*" ? ["Number of records"] : ["Number of values of ", code(property)];
  if (statistic === "rate") return property === "*" ? ["Records a second"] : ["Values of ", code(property), " a second"];
  const words = OF_PROPERTY[/** @type {keyof typeof OF_PROPERTY} */ (statistic)];
  return [words ? `${words} ` : `${statistic.slice(1)}th percentile of `, code(property)];
}

/**
 * Whether an empty bucket of the metric is zero. In any other metric it is unknown.
 * @param {Metric} metric
 */
export const countsRecords = (metric) => ["count", "rate", "sum"].includes(metric.statistic);

/**
 * Whether the value of a longer step is larger, because it is the sum of its buckets.
 * @param {Metric} metric
 */
export const addsUp = (metric) => ["count", "sum"].includes(metric.statistic);

/**
 * The query that finds the records of one segment of a metric.
 * @param {Metric} metric
 * @param {string | null | undefined} segment undefined: of all segments
 * @returns {string | null} null if no query can say it
 */
export function queryOf(metric, segment) {
  if (metric.statistic === "derived" || (metric.filter && metric.query == null)) return null;
  const terms = metric.query ? [metric.query] : [];
  if (/ or /i.test(terms[0] ?? "")) terms[0] = `(${terms[0]})`;
  if (metric.statistic !== "count" && /^[\w.]+$/.test(metric.property)) terms.push(`has:${metric.property}`);
  if (metric.of_query) terms.push(/ or /i.test(metric.of_query) ? `(${metric.of_query})` : metric.of_query);
  if (metric.segment && segment !== undefined) {
    if (!metric.segment_field) return null;
    terms.push(segment === null ? `-has:${metric.segment_field}` : `${metric.segment_field}=${quote(segment)}`);
  }
  return terms.join(" ");
}

/**
 * SQL that finds the records of a metric whose filter no query can say.
 * @param {Metric} metric @param {string} since RFC 3339 @param {string} until
 * @returns {string | null} null if the filter is no plain SQL
 */
export function sqlOf({ statistic, filter, of, group, segment }, since, until) {
  const conditions = [filter, of].filter((text) => text !== null && text !== undefined);
  if (statistic === "derived" || group || conditions.some((text) => /_LIKE\(/.test(text))) return null;
  const within = [`ts >= '${since}'`, `ts < '${until}'`, ...conditions.map((text) => `(${text})`)];
  return `SELECT *${segment ? `, ${segment} AS segment` : ""}\nFROM log_records\nWHERE ${within.join("\n  AND ")}\nORDER BY ts DESC`;
}

/** @param {string} text */
const quote = (text) => (/^[\w./-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, "\\$&")}"`);
