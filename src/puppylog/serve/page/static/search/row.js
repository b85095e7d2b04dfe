// A record as one line, as `puppylog logs` writes it on a terminal: time, severity, source, request and message,
// further fields. Or as a row of a table, whose columns the reader has chosen.

import { h } from "../lib/dom.js";
import { color } from "../lib/severity.js";
import { bytes, count } from "../lib/numbers.js";
import { format, toMs } from "../lib/times.js";
import { SELDOM, attributesOf, columnsBehind, keyOf, known, sourceOfTime, textOf, valueOf } from "./record_fields.js";
import { severityName } from "./query.js";
import { markedText, textNodes } from "./text.js";

/**
 * How records are drawn.
 * @typedef {object} Look
 * @property {"lines"|"table"} form
 * @property {{name: string, width: number}[]} columns of the table
 * @property {(name: string, text: string) => number[][]} find the matches in a field
 * @property {"local"|"UTC"} zone
 * @property {(record: any) => string} link the address that opens the record
 * @property {(source: string) => string} shorten a source to the name that tells it from the others
 * @property {boolean} isWrapped
 */

const SHORT = /** @type {Record<string, string>} */ ({ warning: "warn", critical: "crit", emergency: "emerg" });
const MAX_VALUE = 60; // characters of an attribute in a line
const MAX_FIELDS = 260; // characters of all attributes in a line
const MAX_LINES = 20;
const MAX_CHARACTERS = 1200; // of a message in a line
const STAMP = /^[[(]?\d{4}[-/]\d\d[-/]\d\d[Tt ]\d\d:(\d\d:\d\d)(?:[.,]\d+)?(?:[Zz]|[+-]\d\d(?::?\d\d)?| [+-]\d{4})?(?: (?:UTC|GMT))?[\])]?(?=[ \t|[(-])[ \t|-]*/;
const WORD = /^[[(]?([A-Za-z]{3,8})(?:[\])]:?|:|(?=[ \t|-]))[ \t|-]*/;
const PLAIN = /^[\w.:/@%+,;?&~#*!()[\]<>{}$^|-]+$/;

const WEEKDAYS = { UTC: new Intl.DateTimeFormat("en", { weekday: "long", timeZone: "UTC" }), local: new Intl.DateTimeFormat("en", { weekday: "long" }) };

/** The day of a record in words, for the line above the first record of that day. @param {any} record @param {"local"|"UTC"} zone */
export function dayOf(record, zone) {
  if (record.rejected) return "";
  const ms = toMs(record.ts);
  if (Number.isNaN(ms)) return "";
  const day = format(record.ts, { zone }).slice(0, -9);
  return `${WEEKDAYS[zone].format(ms)} ${day}${zone === "UTC" ? " UTC" : ""}`;
}

/** @param {any} record @param {Look} look */
export function drawRecord(record, look) {
  if (record.rejected) return drawRejected(record, look);
  return look.form === "table" ? drawRow(record, look) : drawLine(record, look);
}

/** A line of the file that is no record. @param {any} record @param {Look} look */
function drawRejected({ file_id, line_offset, rejected }, look) {
  const isTable = look.form === "table";
  const key = keyOf({ file_id, line_offset });
  const text = look.isWrapped ? rejected.line : rejected.line.replaceAll("\n", "⏎ ");
  const content = [h("span", { class: "tag is-pending" }, "rejected"), " ", markedText(text.slice(0, MAX_CHARACTERS)), " ", h("span", { class: "line-fields" }, rejected.reason)];
  return h("div", { class: "line is-rejected", role: isTable ? "row" : "listitem", data: { key } }, h("span", { class: "line-body", role: isTable ? "cell" : null, aria: { colspan: isTable ? look.columns.length : null } }, content));
}

/** @param {any} record @param {Look} look */
function drawLine(record, look) {
  const severity = severityOf(record);
  return h(
    "div",
    { class: "line", role: "listitem", data: { key: keyOf(record), severity: severity?.name } },
    timeLink(record, look),
    h("span", { class: "line-severity", style: severity && { color: color(severity.name) } }, severity && markedText(severity.shown)),
    h("span", { class: "line-source", title: record.source }, record.source && markedText(look.shorten(record.source), look.find("source", look.shorten(record.source)))),
    h("span", { class: "line-body" }, bodyOf(record, look)),
  );
}

/** The time, a link to the record. @param {any} record @param {Look} look */
function timeLink(record, look) {
  const time = format(record.ts, { date: false, zone: look.zone });
  const whole = format(record.ts, { date: false, zone: look.zone, fraction: 3 });
  const fraction = whole.startsWith(time) ? whole.slice(time.length) : "";
  return h("a", { class: "line-time", href: look.link(record), tabindex: -1, title: record.ts }, time, h("span", { class: "fraction" }, fraction));
}

/** @param {any} record */
export function severityOf(record) {
  if (!record.severity) return null;
  const name = severityName(record.severity);
  return { name, shown: name ? (SHORT[name] ?? name) : record.severity.slice(0, 12) };
}

/** @param {any} record @param {Look} look */
function bodyOf(record, look) {
  const parts = [];
  const origin = sourceOfTime(record);
  if (origin) parts.push(h("span", { class: "tag" }, origin), " ");
  const request = requestOf(record, look);
  parts.push(...request);
  if (record.message) parts.push(request.length ? " " : "", messageOf(record, look));
  else if (record.message === "") parts.push(h("span", { class: "absent" }, "(empty message)"));
  else if (!request.length) parts.push(h("span", { class: "absent" }, "(no message)"));
  const fields = fieldsOf(record, look);
  if (record.cut?.attributes) fields.push(" ", h("span", { class: "absent" }, `(attributes of ${count(record.cut.attributes)} characters)`));
  if (fields.length) parts.push(" ", h("span", { class: "line-fields" }, fields));
  return parts;
}

/** @param {any} record @param {Look} look */
function requestOf(record, look) {
  const parts = [];
  if (known(record.status_code)) {
    const text = String(record.status_code);
    parts.push(h("span", { class: "line-status", data: { class: text[0] } }, textNodes(text, look.find("status_code", text))));
  }
  for (const name of ["request_method", "request_route"])
    if (known(record[name])) parts.push(markedText(record[name], look.find(name, record[name])));
  return parts.flatMap((part, at) => (at ? [" ", part] : [part]));
}

/** @param {any} record @param {Look} look */
function messageOf(record, look) {
  const message = record.message.replace(/\r\n/g, "\n");
  const spans = look.find("message", message);
  const end = endOf(message);
  let start = startOf(message, record);
  if (spans.some(([first]) => first < start)) start = 0;
  const text = look.isWrapped ? message.slice(start, end) : message.slice(start, end).replaceAll("\n", "⏎ ");
  // A replaced line end is longer by one character, which moves the matches behind it.
  const shown = look.isWrapped ? spans.map(([a, b]) => [a - start, b - start]) : look.find("message", text);
  const rest = record.cut?.message ? record.cut.message - lengthOf(message.slice(0, end)) : lengthOf(message.slice(end));
  const later = spans.filter(([first]) => first >= end).length;
  return [
    markedText(text, shown, "line-message"),
    rest > 0 && h("span", { class: "absent" }, ` … ${count(rest)} more characters${later ? `, ${later} of the matches in them` : ""}`),
  ];
}

/** The number of characters, as the server counts them. @param {string} text */
function lengthOf(text) {
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) length -= 1;
  return length;
}

/** Where the part of a message that a line shows ends. @param {string} message */
function endOf(message) {
  let end = Math.min(message.length, MAX_CHARACTERS);
  let lines = 0;
  for (let at = message.indexOf("\n"); at >= 0 && at < end; at = message.indexOf("\n", at + 1)) if ((lines += 1) === MAX_LINES) end = at;
  return end < message.length && /[\ud800-\udbff]/.test(message[end - 1]) ? end - 1 : end;
}

/** Where a message begins behind a time and a severity that are those of the record. @param {string} message @param {any} record */
function startOf(message, record) {
  const stamp = STAMP.exec(message);
  if (!stamp || stamp[1] !== String(record.ts).slice(14, 19)) return 0;
  const word = WORD.exec(message.slice(stamp[0].length));
  const name = word && severityName(word[1]);
  const start = stamp[0].length + (word && name && record.severity && name === severityName(record.severity) ? word[0].length : 0);
  return start < message.length ? start : 0;
}

/** The columns and attributes behind the message. @param {any} record @param {Look} look */
function fieldsOf(record, look) {
  const parts = [];
  for (const field of columnsBehind(record)) {
    const spans = look.find(field.name, field.text);
    if (field.name === "response_bytes") parts.push(h("span", { title: `${count(field.value)} bytes` }, bytes(field.value)));
    else if (field.name === "host" && known(record.request_method)) parts.push(markedText(field.text, spans));
    else if (!SELDOM.has(field.name) || spans.length) parts.push(drawField(field, spans));
  }
  const found = attributesOf(record).map((field) => ({ field, spans: look.find(field.name, field.text) }));
  found.sort((a, b) => Number(b.spans.length > 0) - Number(a.spans.length > 0));
  let left = MAX_FIELDS;
  for (const [at, { field, spans }] of found.entries()) {
    const text = spans.length || field.text.length <= MAX_VALUE ? field.text : `${field.text.slice(0, MAX_VALUE - 1)}…`;
    left -= field.name.length + text.length + 2;
    if (left < 0 && at && !spans.length) {
      parts.push(h("span", { title: "more attributes" }, `+${found.length - at}`));
      break;
    }
    parts.push(drawField({ ...field, text }, spans));
  }
  return parts.flatMap((part) => [" ", part]);
}

/** @param {{name: string, value: any, text: string}} field @param {number[][]} spans */
function drawField({ name, value, text }, spans) {
  const quote = typeof value === "string" && !PLAIN.test(text) ? '"' : "";
  return h("span", { class: "line-field" }, h("span", { class: "line-name" }, textNodes(name), "="), quote, markedText(text.slice(0, 2000), spans), quote);
}

/** @param {any} record @param {Look} look */
function drawRow(record, look) {
  const cells = look.columns.map(({ name }, at) => {
    const isFirst = at === 0;
    return h("span", { class: "cell", role: "cell" }, isFirst ? cellLink(record, name, look) : cellOf(record, name, look));
  });
  return h("div", { class: "line row", role: "row", data: { key: keyOf(record), severity: severityOf(record)?.name } }, cells);
}

/** The first cell is the link to the record. @param {any} record @param {string} name @param {Look} look */
function cellLink(record, name, look) {
  return h("a", { class: "line-time", href: look.link(record), tabindex: -1 }, cellOf(record, name, look) ?? "–");
}

/** @param {any} record @param {string} name @param {Look} look @returns {import("../lib/dom.js").Child} */
function cellOf(record, name, look) {
  if (name === "ts") {
    const origin = sourceOfTime(record);
    return [format(record.ts, { zone: look.zone, fraction: 3 }), origin && h("span", { class: "tag" }, origin)];
  }
  const value = valueOf(record, name);
  if (!known(value)) return null;
  if (name === "severity") return h("span", { style: { color: color(severityOf(record)?.name) } }, markedText(String(value)));
  if (name === "status_code") return h("span", { class: "line-status", data: { class: String(value)[0] } }, String(value));
  if (value === "") return h("span", { class: "absent" }, "(empty)");
  const text = textOf(value).slice(0, 2000);
  return markedText(look.isWrapped ? text : text.replaceAll("\n", "⏎ "), look.find(name, text), typeof value === "number" ? "number" : "");
}
