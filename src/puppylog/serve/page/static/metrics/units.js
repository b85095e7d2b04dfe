// The unit of a metric's values, as far as its statistic and its names tell, and values as text in this unit.
import * as numbers from "../lib/numbers.js";

/** @typedef {"bytes" | "seconds" | "milliseconds" | "share" | "rate" | ""} Unit */

/** Statistics whose value has the unit of the property. */
const KEEPS_UNIT = /^(sum|avg|min|max|stddev|derived|p[\d.]+)$/;
/** @type {[RegExp, Unit][]} */
const ENDINGS = [
  [/(^|[._])(bytes|size)$/i, "bytes"],
  [/(^|[._])(ms|millis|milliseconds)$/i, "milliseconds"],
  [/(^|[._])(s|secs?|seconds)$/i, "seconds"],
];

/**
 * @param {{name: string, statistic: string, property: string, unit?: string | null}} metric
 * @returns {Unit}
 */
export function unitOf(metric) {
  if (metric.unit) return /** @type {Unit} */ (metric.unit);
  if (metric.statistic === "ratio") return "share";
  if (metric.statistic === "rate") return "rate";
  if (!KEEPS_UNIT.test(metric.statistic)) return "";
  // An expression such as duration_ms / 1000 has another unit than the field in it, so the metric's name counts.
  const name = /^[\w.]+$/.test(metric.property) ? metric.property : metric.name;
  const found = ENDINGS.find(([ending]) => ending.test(name));
  return found ? found[1] : "";
}

/**
 * A value as text: four significant digits, and its unit.
 * @param {number | null | undefined} value
 * @param {Unit} unit
 */
export function formatValue(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (unit === "share") return `${numbers.value(value * 100)} %`;
  if (unit === "rate") return `${numbers.value(value)}/s`;
  if (unit === "bytes") return numbers.bytes(value);
  if (unit === "seconds") return seconds(value);
  if (unit === "milliseconds") return seconds(value / 1000);
  return numbers.value(value);
}

/** @param {number} value */
function seconds(value) {
  const size = Math.abs(value);
  if (size >= 60) return numbers.duration(value);
  if (size >= 1 || size === 0) return `${numbers.value(value)} s`;
  return size >= 1e-3 ? `${numbers.value(value * 1e3)} ms` : `${numbers.value(value * 1e6)} µs`;
}
