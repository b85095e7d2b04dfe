/**
 * Values of an answer as text. Nothing here touches the document.
 */

import { format } from "../lib/times.js";

// The names of types are those of Arrow.
const NUMBERS = /^(u?int\d|decimal|double|float|halffloat)/;
const TIMES = /^(timestamp|date)/;

/** @param {string} type of a column @returns {boolean} */
export function isNumber(type) {
  return NUMBERS.test(type);
}

/** @param {string} type of a column @returns {boolean} */
export function isTime(type) {
  return TIMES.test(type);
}

/** @param {string} type @returns {string} */
export function shortenType(type) {
  return type.toLowerCase()
    .replace(/^timestamp with time zone$|^timestamp\[.*tz=.*$/, "timestamptz")
    .replace("character varying", "varchar")
    .replace("double precision", "double")
    .replace(/^enum\(.*$/s, "enum");
}

/** @param {string} _name @param {unknown} value */
const keepDigits = (_name, value) => (typeof value === "bigint" ? /** @type {any} */ (JSON).rawJSON(String(value)) : value);

/** @param {unknown} value not null @param {string} [type] of its column @returns {string} instants in the page's zone */
export function toText(value, type = "") {
  if (typeof value === "string" && /^timestamp\[.*tz=/.test(type)) return format(value, { fraction: 6 }).replace(/\.0+$/, "");
  return typeof value === "object" ? JSON.stringify(value, keepDigits) : String(value);
}

/**
 * @param {{columns: {name: string, type: string}[], rows: unknown[][]}} answer
 * @returns {number[]} the width of each column in characters, with its padding
 */
export function widths({ columns, rows }) {
  const most = columns.length <= 3 ? 120 : columns.length <= 6 ? 70 : 44;
  return columns.map(({ name, type }, index) => {
    const lengths = rows.slice(0, 200).map((row) => (row[index] === null ? 4 : toText(row[index], type).length));
    return Math.min(most, Math.max(name.length, shortenType(type).length, 5, ...lengths) + 3);
  });
}

/**
 * Find the offset of an error in the database's message.
 * @param {string} message @param {string} sql
 * @returns {{line: number, column: number} | null} both from 1
 */
export function offsetOfError(message, sql) {
  const near = /(?:at or near|column|table with name|function with name|name) "?([\w.]+)"?/i.exec(message);
  const numbered = /\bline (\d+)(?:,? column (\d+))?/i.exec(message);
  const lines = sql.split("\n");
  if (numbered) {
    const line = Math.min(Number(numbered[1]), lines.length);
    const found = near ? lines[line - 1].toLowerCase().indexOf(near[1].toLowerCase()) : -1;
    return { line, column: Number(numbered[2] ?? Math.max(0, found) + 1) };
  }
  if (!near) return null;
  const line = lines.findIndex((text) => text.toLowerCase().includes(near[1].toLowerCase()));
  return line < 0 ? null : { line: line + 1, column: lines[line].toLowerCase().indexOf(near[1].toLowerCase()) + 1 };
}

/**
 * Arrange the rows as series over a regular time axis, if the first column is a time and another one is a number.
 * @param {{columns: {name: string, type: string}[], rows: unknown[][]}} answer
 * @returns {{start: string, step_s: number, series: {label: string, values: (number | null)[]}[]} | null}
 */
export function toSeries({ columns, rows }) {
  const numbers = columns.map(({ type }, index) => ({ type, index })).filter(({ type, index }) => index && isNumber(type));
  if (!columns.length || !isTime(columns[0].type) || !numbers.length || rows.length < 2) return null;
  const at = rows.map((row) => (row[0] === null ? NaN : Date.parse(String(row[0]))));
  const sorted = [...new Set(at)].sort((one, other) => one - other);
  if (sorted.some(Number.isNaN) || sorted.length !== rows.length) return null; // a time has two values: not a line
  const step = Math.min(...sorted.slice(1).map((time, index) => time - sorted[index]));
  const steps = Math.round((sorted.at(-1) - sorted[0]) / step) + 1;
  if (steps > 5000) return null;
  const series = numbers.slice(0, 8).map(({ index }) => {
    const values = Array(steps).fill(null);
    rows.forEach((row, number) => {
      if (row[index] !== null) values[Math.round((at[number] - sorted[0]) / step)] = Number(row[index]);
    });
    return { label: columns[index].name, values };
  });
  return { start: new Date(sorted[0]).toISOString(), step_s: step / 1000, series };
}
