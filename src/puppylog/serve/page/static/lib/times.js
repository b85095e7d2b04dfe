/** Instants as text, in the zone of the reader or in UTC. */
import * as address from "./address.js";

/** @returns {"local" | "UTC"} from the address, parameter tz */
export function zone() {
  return address.read().params.get("tz") === "UTC" ? "UTC" : "local";
}

/** The name of the zone, for the server. @returns {string} such as "Europe/Berlin" */
export function zoneName() {
  return zone() === "UTC" ? "UTC" : (Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC");
}

/** @param {string | number | Date | null | undefined} ts RFC 3339, or milliseconds @returns {number} milliseconds; NaN if there is none */
export function toMs(ts) {
  if (ts === null || ts === undefined || ts === "") return NaN;
  return typeof ts === "number" ? ts : new Date(ts).getTime();
}

/** @param {number} value @param {number} [width] */
const pad = (value, width = 2) => String(value).padStart(width, "0");

/**
 * An instant as text that sorts: "2026-11-27 10:00:00.123".
 * @param {string | number | Date | null | undefined} ts
 * @param {{date?: boolean, seconds?: boolean, fraction?: number, zone?: "local" | "UTC"}} [options] fraction: digits after the second, up to 6
 * @returns {string} the text itself if it is no instant that a browser knows
 */
export function format(ts, { date = true, seconds = true, fraction = 0, zone: wanted = zone() } = {}) {
  const at = new Date(toMs(ts));
  if (Number.isNaN(at.getTime())) return ts === null || ts === undefined ? "" : String(ts);
  const parts = wanted === "UTC"
    ? [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]
    : [at.getFullYear(), at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()];
  const [year, month, day, hour, minute, second] = parts;
  let text = `${pad(hour)}:${pad(minute)}${seconds ? `:${pad(second)}` : ""}`;
  if (seconds && fraction > 0) text += `.${readFraction(ts, at).slice(0, fraction)}`;
  return date ? `${year < 0 ? "-" : ""}${pad(Math.abs(year), 4)}-${pad(month)}-${pad(day)} ${text}` : text;
}

/** The six digits after the second, which a Date cannot keep. @param {any} ts @param {Date} at */
function readFraction(ts, at) {
  const written = typeof ts === "string" ? /:\d\d\.(\d+)/.exec(ts) : null;
  return (written?.[1] ?? pad(at.getUTCMilliseconds(), 3)).padEnd(6, "0");
}

const STEPS = /** @type {[number, string][]} */ ([[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]);

/** How long ago, or in how long: "5 min ago", "in 2 h". @param {string | number | Date | null | undefined} ts @param {number} [now] */
export function relative(ts, now = Date.now()) {
  const seconds = (now - toMs(ts)) / 1000;
  if (Number.isNaN(seconds)) return "";
  const [size, unit] = STEPS.find(([step]) => Math.abs(seconds) >= step * (step === 86400 ? 2 : 1)) ?? [1, "s"];
  const count = Math.floor(Math.abs(seconds) / size);
  if (count === 0) return "now";
  return seconds > 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
}

/** An element with an instant, whose title has it whole, in UTC, and relative. @param {string | number | null | undefined} ts
 * @param {{date?: boolean, seconds?: boolean, fraction?: number, isRelative?: boolean}} [options] @returns {HTMLTimeElement} */
export function timeElement(ts, options = {}) {
  const element = document.createElement("time");
  const ms = toMs(ts);
  element.textContent = options.isRelative ? relative(ts) : format(ts, options);
  if (!Number.isNaN(ms)) {
    element.dateTime = new Date(ms).toISOString();
    element.title = `${format(ts, { fraction: 6 })} (${zoneName()})\n${format(ts, { fraction: 6, zone: "UTC" })} UTC\n${relative(ts)}`;
  }
  return element;
}
