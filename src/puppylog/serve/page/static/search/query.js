// Writes and edits queries: the text of a query is the only record of what is chosen in the page.

import { readTests } from "./scan.js";

/** @typedef {import("./scan.js").Test} Test */

/** The longest query that the server reads, in characters. */
export const MAX_CHARACTERS = 1000;
const MAX_VALUE = 200; // of a longer value, a query has the start only
const HIDDEN = /(?! )[\p{Cc}\p{Cf}\p{Z}]/gu; // characters that a reader could not see

const NUMBERS = new Set(["line_offset", "status_code", "response_bytes", "response_bsize", "stream_id", "file_id", "stream"]);
const TEXTS = new Set(["host", "ident", "indent_logname", "ruser", "request_method", "request_route", "request_proto", "referer", "user_agent", "message"]);
const PLACES = new Set(["source", "file"]);
/** The names of the severities, and all spellings of each: model/severity.py has the same. */
export const SEVERITIES = [
  ["trace", "trc", "trce", "trac", "verbose", "vrb", "verb", "finest", "silly", "trace2", "trace3", "trace4", "debug-4"],
  ["debug", "dbg", "dbug", "debu", "fine", "finer", "config", "debug1", "debug2", "debug3", "debug4", "debug5"],
  ["info", "inf", "information", "informational", "informative", "log", "info2", "info3", "info4"],
  ["notice", "note", "ntc", "notification", "success", "info+2"],
  ["warning", "warn", "wrn", "warni", "warnings", "warn2", "warn3", "warn4"],
  ["error", "err", "erro", "eror", "severe", "fail", "failure", "error2", "error3", "error4"],
  ["critical", "crit", "crt", "fatal", "ftl", "fata", "dpanic", "panic", "pani", "pnc", "fatal2", "fatal3", "fatal4", "error+4"],
  ["alert", "alrt"],
  ["emergency", "emerg", "emrg"],
];

/** @param {unknown} word @returns {string|null} the name of the severity, however it is spelt */
export function severityName(word) {
  const lower = String(word).toLowerCase();
  return SEVERITIES.find((spellings) => spellings.includes(lower))?.[0] ?? null;
}

/** @param {string} name */
export function writeName(name) {
  return /^[A-Za-z_@][A-Za-z0-9_.@-]*$/.test(name) ? name : quote(name);
}

/** @param {string} text */
function quote(text) {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** @param {string} text */
function writeValue(text) {
  return /^[A-Za-z0-9_.@%+,;?&#$^|{}[\]'/-][A-Za-z0-9_.@%+,;?&#$^|{}[\]'/:=<>~!-]*$/.test(text) ? text : quote(text);
}

/** @param {string} text @returns {string} the text as a regular expression that shows every character */
function escapeRegex(text) {
  return text
    .replace(/[\\.+*?()|[\]{}^$/]/g, "\\$&")
    .replace(HIDDEN, (character) => `\\x{${character.codePointAt(0)?.toString(16)}}`)
    .replace(/\p{Cs}/gu, ".");
}

/** @param {unknown} value @returns {boolean} whether `valueTerm` finds the whole value and not only its start */
export function isWhole(value) {
  return value === null || [...String(value).slice(0, 2 * MAX_VALUE + 2)].length <= MAX_VALUE;
}

/**
 * Returns the query that finds the records with just this value of a field; null stands for records without one.
 * @param {string} name
 * @param {string|number|boolean|null} value
 */
export function valueTerm(name, value) {
  const field = writeName(name);
  const lower = name.toLowerCase();
  if (value === null) return `-has:${field}`;
  const text = String(value);
  if (NUMBERS.has(lower)) return `${field}:${writeValue(text)}`;
  if (lower === "ts") return `${field}=${writeValue(text)}`;
  if (PLACES.has(lower)) return `${field}:${writeValue(text)}`;
  if (lower === "severity" && severityName(text)) return `${field}:${writeValue(text)}`;
  if (!isWhole(text)) return `${field}~/\\A${escapeRegex([...text.slice(0, 2 * MAX_VALUE)].slice(0, MAX_VALUE).join(""))}/`;
  if (text.search(HIDDEN) >= 0 || /\p{Cs}/u.test(text)) return `${field}~/\\A${escapeRegex(text)}\\z/`;
  if (TEXTS.has(lower) || lower === "group" || lower === "severity") return `${field}=${writeValue(text)}`;
  return attributeTerm(field, text);
}

/** @param {string} field @param {string} text */
function attributeTerm(field, text) {
  const isNumber = text !== "" && String(Number(text)) === text && /^-?[\d.]{1,15}$/.test(text);
  if (isNumber) return field === "has" ? `${field}=${text}` : `${field}:${text}`;
  // A text that begins as a number does would be compared as one.
  return `${field}=${/^(?:[-+.\d]|inf|nan)/i.test(text) ? quote(text) : writeValue(text)}`;
}

/** @param {string} name @returns {string|null} the query for a class of status codes: "5xx" */
export function statusClassTerm(name) {
  const digit = Number(/^([1-9])xx$/.exec(name)?.[1] ?? 0);
  return digit ? `status_code>=${digit}00 status_code<${digit + 1}00` : null;
}

/**
 * Returns a query that finds the texts of a shape, in which stars stand for the parts that vary.
 * @param {string} name of the field with the texts
 * @param {string} shape
 * @param {string} example a text of this shape
 */
export function shapeTerm(name, shape, example) {
  const field = writeName(name);
  const star = /["']/.test(example) ? `(\\S+|"[^"]*"|'[^']*')` : "\\S+";
  const parts = shape.split("*").map(escapeRegex);
  const isCut = [...example.split("\n", 1)[0]].length >= 500;
  const whole = `${field}~/\\A${parts.join(star)}${isCut ? "" : "(\\n|\\z)"}/`;
  if (whole.length <= MAX_CHARACTERS / 2) return whole;
  let start = "";
  for (const part of parts) {
    if (start.length + part.length > MAX_CHARACTERS / 2) break;
    start += start ? `\\S+${part}` : part;
  }
  return `${field}~/\\A${start || escapeRegex([...shape.split("*", 1)[0]].slice(0, MAX_VALUE).join(""))}/`;
}

/** @param {Test} test */
function written(test) {
  return sealed(test.isNegated ? `-${test.text}` : test.text);
}

/** @param {string} text @returns {string} the text, whose last backslash does not change the character behind it */
function sealed(text) {
  return /(?:^|[^\\])(?:\\\\)*\\$/.test(text) ? `${text}\\` : text;
}

/** @param {string[]} texts */
function joined(texts) {
  const text = texts.join(" ");
  return readTests(text) && [...text].length <= MAX_CHARACTERS ? text : null;
}

/** @param {string} query @returns {Test[]|null} what all records must satisfy; null of a text that is no query */
export function readChosen(query) {
  const read = readTests(query);
  if (!read) return null;
  if (!read.isOr) return read.tests;
  const whole = query.slice(read.tests[0].start, read.tests[read.tests.length - 1].end);
  return [{ kind: "group", start: 0, end: query.length, text: `(${sealed(whole)})`, isNegated: false }];
}

/** @param {Test} a @param {Test} b */
function isSame(a, b) {
  if (a.kind !== "field" || b.kind !== "field" || a.name !== b.name || !isEquality(a) || !isEquality(b)) return a.text === b.text;
  return a.value === b.value || (a.name === "severity" && severityName(a.value) !== null && severityName(a.value) === severityName(b.value));
}

/** @param {Test} test */
function isEquality(test) {
  return (test.operator === ":" || test.operator === "=") && !test.hasStar;
}

/**
 * Returns the query narrowed by a term; null if one of them is no query, or the result would be too long.
 * @param {string} query
 * @param {string} term
 */
export function addTerm(query, term) {
  const chosen = readChosen(query);
  const added = readChosen(term);
  if (!chosen || !added) return null;
  const kept = chosen.filter((test) => !added.some((one) => isSame(test, one) && test.isNegated !== one.isNegated));
  const fresh = added.filter((one) => !kept.some((test) => isSame(test, one) && test.isNegated === one.isNegated));
  if (kept.length === chosen.length && !fresh.length) return query;
  return joined([...kept.map(written), ...fresh.map(written)]);
}

/** @param {string} query @param {string} term */
export function excludeTerm(query, term) {
  const tests = readChosen(term);
  if (!tests?.length) return null;
  if (tests.length > 1) return addTerm(removeTerm(query, term) ?? query, `-(${term})`);
  return addTerm(query, tests[0].isNegated ? tests[0].text : `-${tests[0].text}`);
}

/** @param {string} query @param {string} term */
export function removeTerm(query, term) {
  const chosen = readChosen(query);
  const removed = readChosen(term);
  if (!chosen || !removed) return null;
  const kept = chosen.filter((test) => !removed.some((one) => isSame(test, one) && test.isNegated === one.isNegated));
  if (kept.length === chosen.length) return query;
  return kept.length === 1 && kept[0].kind === "group" && !kept[0].isNegated ? kept[0].text.slice(1, -1) : joined(kept.map(written));
}

/**
 * Returns whether a query chooses a value of a field, excludes it, or does neither.
 * @param {Test[]} chosen
 * @param {string} name
 * @param {string|number|boolean|null} value
 * @returns {"chosen"|"excluded"|null}
 */
export function stateOf(chosen, name, value) {
  const wanted = readTests(valueTerm(name, value))?.tests[0];
  const found = wanted && chosen.find((test) => isSame(test, wanted));
  if (!found) return null;
  return found.isNegated === wanted.isNegated ? "chosen" : "excluded";
}
