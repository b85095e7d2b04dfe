// The fields of a record: their order, and what a value means to a person.

import { toMs, format, relative } from "../lib/times.js";
import { bytes, duration } from "../lib/numbers.js";

/** @typedef {Record<string, any>} Rec a record as the server answers it */
/** @typedef {{name: string, value: any, text: string}} Field text: as one line of text, JSON if the value is no text */

const LATE = ["referer", "user_agent", "request_proto", "ident"];
const BEHIND = ["host", "response_bytes", "ruser", ...LATE];
/** Columns that a line shows only if they match the query: they are long, and alike in most records. */
export const SELDOM = new Set(LATE);
/** The columns in the order of the details. */
export const COLUMNS = ["severity", "status_code", "request_method", "request_route", ...BEHIND];
const MAX_DEPTH = 5;

/** @param {Rec} record */
export function keyOf(record) {
  return `${record.file_id}:${record.line_offset}`;
}

/** Text of a value on one line. @param {any} value */
export function textOf(value) {
  if (typeof value === "string") return value;
  return toJson(value);
}

/** JSON of a value, in which whole numbers that a Number cannot hold keep all their digits. @param {any} value @returns {string} */
function toJson(value) {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join(", ")}]`;
  if (value && typeof value === "object") return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${toJson(inner)}`).join(", ")}}`;
  return JSON.stringify(value);
}

/** The columns that stand behind the message of a line. @param {Rec} record @returns {Field[]} */
export function columnsBehind(record) {
  return BEHIND.filter((name) => known(record[name])).map((name) => ({ name, value: record[name], text: String(record[name]) }));
}

/** Every attribute that is not null, members of nested objects last, their names joined by dots. @param {Rec} record @returns {Field[]} */
export function attributesOf(record) {
  const attributes = record.attributes;
  if (!known(attributes)) return [];
  if (typeof attributes !== "object" || Array.isArray(attributes)) return [{ name: "attributes", value: attributes, text: textOf(attributes) }];
  return members(attributes, "", 0);
}

/** @param {Record<string, any>} object @param {string} prefix @param {number} depth @returns {Field[]} */
function members(object, prefix, depth) {
  const plain = [];
  const nested = [];
  for (const [key, value] of Object.entries(object)) {
    if (isObject(value) && depth < MAX_DEPTH) nested.push(...members(value, `${prefix}${key}.`, depth + 1));
    else if (known(value)) plain.push({ name: prefix + key, value, text: textOf(value) });
  }
  return [...plain, ...nested];
}

/** Whether a value is an object with members. @param {any} value */
export function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
}

/** @param {any} value */
export function known(value) {
  return value !== null && value !== undefined;
}

/** The value of a column or an attribute by the name that a query has for it. @param {Rec} record @param {string} name @returns {any} */
export function valueOf(record, name) {
  if (name in record && name !== "attributes") return record[name];
  const path = name.startsWith("attributes.") ? name.slice("attributes.".length) : name;
  return attributesOf(record).find((one) => one.name === path)?.value ?? findMember(record.attributes, path);
}

/** @param {any} object @param {string} path */
function findMember(object, path) {
  return path.split(".").reduce((inner, key) => (isObject(inner) ? inner[key] : undefined), object);
}

const UNITS = /** @type {Record<string, number>} */ ({ ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, sec: 1, secs: 1, seconds: 1, millis: 1e-3, micros: 1e-6, nanos: 1e-9, min: 60, minutes: 60 });
const INSTANT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;

/**
 * What a value means, to show behind it: "5 s" for duration_ms 5003, "4 KiB", a time in the reader's zone; or null.
 * @param {string} name @param {any} value @returns {string | null}
 */
export function meaningOf(name, value) {
  const small = name.toLowerCase();
  const unit = /(?:^|[_.\- ])(ns|us|ms|s|secs?|seconds|millis|micros|nanos|min|minutes)$/.exec(small)?.[1] ?? (/[a-z]Ms$/.test(name) ? "ms" : null);
  const number = typeof value === "number" ? value : typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
  if (!Number.isNaN(number)) {
    if (/(^|[_.\-])(bytes|size|length|bsize)$/.test(small) && Math.abs(number) >= 1024) return bytes(number);
    if (unit) return differs(duration(number * UNITS[unit]), number, unit);
    if (/(^|[_.\-])(ts|time|timestamp|at|date)$/.test(small)) return instantOf(number);
    return null;
  }
  if (typeof value === "string" && INSTANT.test(value) && !Number.isNaN(toMs(value))) return `${format(value)}, ${relative(value)}`;
  return null;
}

/** @param {string} text @param {number} number @param {string} unit */
function differs(text, number, unit) {
  return text === `${number} ${unit}` ? null : text;
}

/** A number of seconds, milliseconds, microseconds or nanoseconds since 1970 as a time, if it is of these decades. @param {number} number */
function instantOf(number) {
  const scale = [1e3, 1, 1e-3, 1e-6].find((factor) => number * factor > 3e11 && number * factor < 4.2e12);
  return scale ? format(number * scale, { fraction: 3 }) : null;
}

const IDS = /(^|[_.\-])(trace|span|request|correlation|session|transaction|operation|x_request|parent)[_.\-]?id$/i;

/** Whether a field holds the id of something that several records are about. @param {string} name @param {any} value */
export function isSharedId(name, value) {
  return (typeof value === "string" || typeof value === "number") && String(value).length >= 4 && IDS.test(name.replace(/([a-z])([A-Z])/g, "$1_$2"));
}

const SOURCES_OF_TIME = /** @type {Record<string, string>} */ ({ read: "time of reading", before: "time of the line before" });

/** Where the time of a record is from, if its line has none. @param {Rec} record @returns {string | null} */
export function sourceOfTime(record) {
  if (!record.ts_source || record.ts_source === "line") return null;
  return SOURCES_OF_TIME[record.ts_source] ?? `time: ${record.ts_source}`;
}
