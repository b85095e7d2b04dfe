/** Numbers as text. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** @param {number | null | undefined} n @returns {string} "1,234,567" */
export function count(n) {
  return n === null || n === undefined || Number.isNaN(n) ? "–" : WHOLE.format(n);
}

/** @param {number | null | undefined} n @returns {string} "1.23M", for little space */
export function compact(n) {
  return n === null || n === undefined || Number.isNaN(n) ? "–" : SHORT.format(n);
}

/** A value of a metric, with four significant digits. @param {number | null | undefined} n */
export function value(n) {
  if (n === null || n === undefined || Number.isNaN(n)) return "–";
  if (Math.abs(n) >= 1e15 || (n !== 0 && Math.abs(n) < 1e-4)) return n.toExponential(2);
  return n.toLocaleString("en", { maximumSignificantDigits: Math.abs(n) >= 1000 ? 15 : 4, maximumFractionDigits: 2 });
}

/** @param {number} n @param {string} one @param {string} [many] @returns {string} "1 record", "2 records" */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** @param {number | null | undefined} n @returns {string} "1.5 MiB" */
export function bytes(n) {
  if (n === null || n === undefined || Number.isNaN(n)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, Math.abs(n))) / 10));
  const size = n / 1024 ** power;
  return `${power === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[power]}`;
}

/** @param {number | null | undefined} seconds @returns {string} "120 ms", "3.2 s", "5 min", "2 h 10 min", "3 d 4 h" */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "–";
  const s = Math.abs(seconds);
  const sign = seconds < 0 ? "−" : "";
  if (s === 0) return "0 s";
  if (s < 1) return `${sign}${Math.max(1, Math.round(s * 1000))} ms`;
  if (s < 60) return `${sign}${s < 10 ? Number(s.toFixed(1)) : Math.round(s)} s`;
  const steps = /** @type {[number, string, number, string][]} */ ([[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]);
  const [large, largeUnit, small, smallUnit] = steps.find(([size]) => s >= size) ?? steps[2];
  const rest = Math.floor((s % large) / small);
  return `${sign}${Math.floor(s / large)} ${largeUnit}${rest && !(large === 60 && s >= 600) ? ` ${rest} ${smallUnit}` : ""}`;
}
