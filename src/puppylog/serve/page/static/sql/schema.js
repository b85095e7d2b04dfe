/**
 * The tables of the store and their columns, as a list that inserts a name into the statement.
 */

import { fill, h } from "../lib/dom.js";
import { shortenType } from "./values.js";

const SQL = `select table_schema, table_name, column_name, data_type
from information_schema.columns
where table_schema in ('puppylog', 'metrics')
order by table_schema desc, table_name, ordinal_position`;

/** The tables that `puppylog sql` names, in the order in which they are shown. */
const FIRST = ["log_records", "rejected_lines", "log_streams", "log_files", "metrics", "alerts", "alert_history"];

const PLAIN = /^[a-z_][a-z0-9_]*$/;

/** @param {string} name of a column or a table @returns {string} as it stands in a statement */
export function identifier(name) {
  return PLAIN.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/**
 * @param {any} app
 * @param {(text: string) => void} insert
 * @returns {HTMLElement}
 */
export function schemaList(app, insert) {
  const container = h("div", { class: "sql-tables" }, h("p", { class: "quiet" }, "Reading the names of the tables…"));
  app.api.post("/api/v1/sql", { sql: SQL, limit: 10_000 }).then(
    (answer) => {
      const tables = collect(answer.rows);
      const draw = (table) => drawTable(table, table.name === FIRST[0], insert);
      const others = tables.filter((table) => table.isInner).map(draw);
      const inner = h("details", {}, h("summary", { class: "quiet" }, "Inner tables of Puppylog"), others);
      fill(container, tables.filter((table) => !table.isInner).map(draw), others.length ? inner : null);
    },
    (error) => fill(container, h("p", { class: "quiet" }, `The names of the tables are not known: ${error.message}`)),
  );
  return container;
}

/** @param {string[][]} rows @returns {{name: string, isInner: boolean, columns: {name: string, type: string}[]}[]} */
export function collect(rows) {
  const tables = new Map();
  for (const [schema, table, name, type] of rows) {
    const full = schema === "metrics" ? `metrics.${identifier(table)}` : identifier(table);
    if (!tables.has(full)) tables.set(full, { name: full, isInner: schema !== "metrics" && !FIRST.includes(table), columns: [] });
    tables.get(full).columns.push({ name, type: shortenType(type) });
  }
  const rank = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...tables.values()].sort((one, other) => rank(one) - rank(other));
}

function drawTable({ name, columns }, isOpen, insert) {
  const link = (text, label, extra) => h(
    "button",
    { type: "button", class: "name-button", title: "Insert into the statement", on: { click: () => insert(text) } },
    h("span", {}, label),
    extra ? h("span", { class: "quiet" }, ` ${extra}`) : null,
  );
  const items = columns.map((column) => h("li", {}, link(identifier(column.name), column.name, column.type)));
  const list = h("ul", {}, h("li", {}, link(name, name, "the table")), items);
  return h("details", { open: isOpen }, h("summary", {}, name), list);
}
