// The fields of a record as rows of a table: columns first, then the attributes as a tree.

import * as address from "../lib/address.js";
import { h, icon, iconButton } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { color } from "../lib/severity.js";
import { copyText } from "./copy.js";
import { COLUMNS, isSharedId, meaningOf, textOf } from "./record_fields.js";
import { longText } from "./long_text.js";
import { isWhole, severityName, valueTerm } from "./query.js";
import { markedText, textNodes } from "./text.js";

/** @typedef {import("./record.js").Doing} Doing */

const OPEN_DEPTH = 2; // deeper objects are closed at first
const MAX_MEMBERS = 100; // shown at a time
const LONG = 300; // characters
const NAMES = new Set([...COLUMNS, "ts", "message", "source", "stream", "group", "file", "line_offset", "stream_id", "file_id", "has", "indent_logname", "response_bsize"]);

/**
 * @param {[string, any][]} columns names and values @param {any} attributes a JSON value @param {Doing} doing
 */
export function fieldRows(columns, attributes, doing) {
  const body = h("tbody");
  for (const [name, value] of columns) body.append(valueRow({ name, path: name, value, depth: 0, canSearch: true, isColumn: true }, doing));
  if (attributes !== null && typeof attributes === "object") body.append(...memberRows(attributes, "", 0, true, doing));
  else if (attributes !== null && attributes !== undefined) body.append(valueRow({ name: "attributes", path: "attributes", value: attributes, depth: 0, canSearch: false }, doing));
  return h("table", { class: "fields" }, h("caption", { class: "visually-hidden" }, "Names and values"), body);
}

/**
 * The rows of the members of an object or an array. Rows below a closed member are made when it is opened.
 * @param {any} value @param {string} prefix @param {number} depth @param {boolean} canSearch @param {Doing} doing @returns {HTMLElement[]}
 */
function memberRows(value, prefix, depth, canSearch, doing) {
  const isArray = Array.isArray(value);
  const entries = Object.entries(value);
  const rows = [];
  const add = (/** @type {number} */ from) => entries.slice(from, from + MAX_MEMBERS).flatMap(([key, inner]) => {
    const path = isArray ? `${prefix}[${key}]` : prefix ? `${prefix}.${key}` : key;
    const member = { name: isArray ? `[${key}]` : key, path, value: inner, depth, canSearch: canSearch && !isArray };
    return inner !== null && typeof inner === "object" && Object.keys(inner).length ? branchRows(member, doing) : [valueRow(member, doing)];
  });
  rows.push(...add(0));
  if (entries.length > MAX_MEMBERS) rows.push(moreRow(entries.length, depth, add));
  return rows;
}

/** @param {number} total @param {number} depth @param {(from: number) => HTMLElement[]} add */
function moreRow(total, depth, add) {
  let shown = MAX_MEMBERS;
  const button = h("button", { type: "button", class: "link" });
  const row = h("tr", { data: { depth } }, h("td", { colspan: 3, style: indent(depth) }, button));
  const name = () => (button.textContent = `${count(total - shown)} more`);
  button.addEventListener("click", () => {
    row.before(...add(shown));
    shown += MAX_MEMBERS;
    if (shown >= total) row.remove();
    else name();
  });
  name();
  return row;
}

/** @typedef {{name: string, path: string, value: any, depth: number, canSearch: boolean, isColumn?: boolean}} Member */

/** @param {Member} member @param {Doing} doing @returns {HTMLElement[]} */
function branchRows(member, doing) {
  const { name, path, value, depth, canSearch } = member;
  const size = Object.keys(value).length;
  const word = Array.isArray(value) ? "elements" : "members";
  const toggle = h("button", { type: "button", class: "branch", title: path, aria: { expanded: false } }, icon("right"), h("bdi", { class: "log" }, textNodes(name)));
  const row = h("tr", { class: "is-branch", data: { depth } },
    h("th", { scope: "row", style: indent(depth) }, toggle),
    h("td", { class: "quiet" }, `${count(size)} ${size === 1 ? word.slice(0, -1) : word}`),
    h("td", { class: "field-actions" }, iconButton("copy", `Copy ${path}`, () => copyText(textOf(value), path, doing.say))));
  const open = () => memberRows(value, path, depth + 1, canSearch, doing);
  toggle.addEventListener("click", () => {
    const isOpen = toggle.getAttribute("aria-expanded") === "true";
    toggle.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) while (row.nextElementSibling && Number(row.nextElementSibling.getAttribute("data-depth")) > depth) row.nextElementSibling.remove();
    else row.after(...open());
  });
  if (depth >= OPEN_DEPTH || size > MAX_MEMBERS) return [row];
  toggle.setAttribute("aria-expanded", "true");
  return [row, ...open()];
}

/** @param {Member} member @param {Doing} doing */
function valueRow(member, doing) {
  const { name, path, value, depth, canSearch } = member;
  return h("tr", { data: { depth } },
    h("th", { scope: "row", style: indent(depth), title: path }, h("bdi", { class: "log" }, textNodes(name))),
    h("td", null, valueView(member, doing)),
    h("td", { class: "field-actions" }, actions(member, doing)));
}

/** @param {Member} member @param {Doing} doing */
function actions({ path, value, canSearch, isColumn = false }, doing) {
  const name = queryName(path, isColumn);
  const isText = typeof value !== "object" || value === null;
  const finds = typeof value === "string" && !isWhole(value) ? "this start of " : "";
  return [
    canSearch && isText && iconButton("plus", `Only ${finds}${path} with this value`, () => doing.add(name, plain(value))),
    canSearch && isText && iconButton("minus", `Without ${finds}${path} with this value`, () => doing.exclude(name, plain(value))),
    iconButton("copy", `Copy ${path}`, () => copyText(value === null ? "null" : textOf(value), path, doing.say)),
    canSearch && iconButton("columns", `Only ${path} as column`, () => doing.onlyColumn(name)),
  ];
}

/** The name that a query has for an attribute: one with the name of a column needs a prefix. @param {string} path @param {boolean} isColumn */
function queryName(path, isColumn) {
  return !isColumn && NAMES.has(path.toLowerCase()) ? `attributes.${path}` : path;
}

/** @param {any} value */
function plain(value) {
  return typeof value === "bigint" ? String(value) : value;
}

/** @param {Member} member @param {Doing} doing @returns {import("../lib/dom.js").Child} */
function valueView({ path, value, isColumn = false }, doing) {
  if (value === null) return h("span", { class: "absent" }, "null");
  if (value === "") return h("span", { class: "absent" }, "(empty)");
  const text = textOf(value);
  const spans = doing.find()(path, text);
  if (text.length > LONG) return longText(text, spans);
  const parts = [];
  if (path === "severity") parts.push(h("span", { style: { color: color(severityName(text)) } }, markedText(text, spans)));
  else if (isSharedId(path, value)) parts.push(h("a", { href: address.href({ params: { q: valueTerm(queryName(path, isColumn), value), at: null, around: null } }, { keep: true }), title: "Search for this id" }, markedText(text, spans)));
  else parts.push(markedText(text, spans, typeof value === "string" ? "" : "number"));
  const meaning = meaningOf(path, value);
  if (meaning) parts.push(" ", h("span", { class: "quiet" }, meaning));
  return parts;
}

/** @param {number} depth */
function indent(depth) {
  return depth ? { paddingInlineStart: `${depth * 14 + 4}px` } : null;
}
