/**
 * SQL that only reads: an editor, the names of the tables, the result as a table and as a chart, and downloads.
 */

import { dialog } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { menu } from "../lib/menu.js";
import { count, duration, plural } from "../lib/numbers.js";
import { query } from "../lib/query.js";
import { resultChart } from "../sql/chart.js";
import { DOWNLOADS, download } from "../sql/download.js";
import { editor } from "../sql/editor.js";
import { EXAMPLES } from "../sql/examples.js";
import * as history from "../sql/history.js";
import { resultTable } from "../sql/result.js";
import { schemaList } from "../sql/schema.js";
import { offsetOfError } from "../sql/values.js";

export const title = "SQL";

const TYPING_MS = 250;
const LIMITS = [100, 1000, 10_000];

/** @param {HTMLElement} container @param {any} app */
export function open(container, app) {
  const view = new Sql(container, app);
  return { update: (address) => view.update(address), close: () => view.close() };
}

class Sql {
  #app;
  #parts;
  #editor;
  #query;
  #ran = ""; // what the result below is of
  #unbind;
  #typing = 0;
  #closeChart = () => {};
  #older = -1; // index in the history; -1: what is typed

  constructor(container, app) {
    this.#app = app;
    this.#editor = editor({ onInput: (sql) => this.#keep(sql) });
    const bind = (keys, label, fn) => app.keys.bind(keys, label, fn, { group: "SQL", inText: true });
    this.#unbind = [
      bind("Ctrl+Enter", "Run the statement", () => this.#ask()),
      bind("Alt+ArrowUp", "The statement before, of those run in this browser", () => this.#recall(1)),
      bind("Alt+ArrowDown", "The statement after it", () => this.#recall(-1)),
    ];
    this.#parts = makeParts({ run: () => this.#ask(), limit: (limit) => this.#setLimit(limit) });
    const { tools, status, result, historyButton, examplesButton, downloadButton } = this.#parts;
    menu(historyButton, () => this.#listHistory());
    menu(examplesButton, () => EXAMPLES.map(({ label, sql }) => ({ label, onSelect: () => this.#ask(sql) })));
    menu(downloadButton, () => DOWNLOADS.map(({ label, format }) => ({ label, onSelect: () => this.#download(format) })));
    this.#query = query(result);
    const tables = schemaList(app, (text) => this.#editor.insert(text));
    const side = h("section", { class: "sql-side", aria: { label: "Tables" } }, h("h2", {}, "Tables"), tables);
    const main = h("div", { class: "sql-main" }, this.#editor.node, tools, this.#query.element, status, result);
    fill(container, h("div", { class: "tables-view" }, h("h1", { class: "visually-hidden" }, "SQL"), h("div", { class: "sql-columns" }, side, main)));
  }

  update({ params }) {
    const sql = params.get("sql") ?? "";
    const limit = Number(params.get("limit") ?? 1000);
    this.#parts.limit.value = String(LIMITS.includes(limit) ? limit : 1000);
    this.#editor.set(sql);
    const key = JSON.stringify([sql, this.#parts.limit.value]);
    if (params.get("run") === "1" && key !== this.#ran) this.#run(sql, key);
  }

  close() {
    for (const stop of this.#unbind) stop();
    clearTimeout(this.#typing);
    this.#closeChart();
    this.#query.close();
  }

  /** Typing changes the address without an entry in the history, and does not run anything. */
  #keep(sql) {
    this.#older = -1;
    clearTimeout(this.#typing); // browsers refuse to change the address at each key
    this.#typing = setTimeout(() => this.#app.address.go({ params: { sql, run: null } }, { replace: true }), TYPING_MS);
  }

  #ask(sql = this.#editor.area.value) {
    if (!sql.trim()) return;
    clearTimeout(this.#typing);
    this.#ran = "";
    const { go, read, href } = this.#app.address;
    const change = { params: { sql, run: "1" } };
    if (href(change, { keep: true }) === location.hash) this.update(read());
    else go(change);
  }

  #setLimit(limit) {
    this.#app.address.go({ params: { limit: limit === 1000 ? null : limit } });
  }

  #recall(step) {
    const found = history.list();
    const next = Math.min(found.length - 1, Math.max(-1, this.#older + step));
    if (next < 0) return;
    this.#editor.set(found[next]);
    this.#keep(found[next]);
    this.#older = next;
  }

  #listHistory() {
    const found = history.list();
    if (!found.length) return [{ heading: "No statement was run in this browser" }];
    /** @type {import("../lib/menu.js").Item[]} */
    const items = found.map((sql) => ({ label: sql.replace(/\s+/g, " ").slice(0, 90), onSelect: () => this.#ask(sql) }));
    items.push("line", { label: "Forget them", onSelect: history.clear });
    return [{ heading: "Run in this browser" }, ...items];
  }

  async #run(sql, key) {
    this.#ran = key;
    const limit = Number(this.#parts.limit.value);
    fill(this.#parts.status);
    const done = await this.#query.run(async (signal) => {
      try {
        return { answer: await this.#app.api.post("sql", { sql, limit }, { signal }) };
      } catch (error) {
        if (error.status === 400) return { error }; // the database's own words, which name a position in the statement
        throw error;
      }
    });
    if (done?.answer) {
      history.add(sql);
      this.#show(done.answer, limit);
    } else if (done?.error) this.#explain(done.error, sql);
  }

  #show(answer, limit) {
    const { result, downloadButton } = this.#parts;
    const { rows, columns, has_more, took_s } = answer;
    const number = plural(rows.length, "row");
    const more = has_more ? `The first ${number}; the answer has more: raise the limit, or download all of it` : number;
    this.#say(`${more} · ${duration(took_s)}`);
    const expand = (name, text) => this.#expand(name, text);
    this.#editor.markError(null, null);
    this.#closeChart();
    const { element, close } = resultChart(answer);
    this.#closeChart = close;
    fill(result, element, columns.length ? resultTable(answer, expand) : null);
    downloadButton.disabled = false;
    downloadButton.title = has_more ? `All rows, not only the first ${count(limit)}` : "";
  }

  #say(text) {
    fill(this.#parts.status, text);
    this.#app.say(text);
  }

  #explain(error, sql) {
    const { result, status } = this.#parts;
    const at = error.status === 400 ? offsetOfError(error.message, sql) : null;
    this.#editor.markError(at?.line ?? null, at?.column ?? null);
    const caret = at && h("pre", { class: "query-caret" }, `${sql.split("\n")[at.line - 1]}\n${" ".repeat(at.column - 1)}^`);
    const where = at ? h("p", { class: "quiet" }, `Line ${at.line}, column ${at.column}`) : null;
    fill(status);
    fill(result, h("div", { class: "error-box", role: "alert" }, h("p", {}, error.message), caret, where, error.advice && h("p", {}, error.advice)));
  }

  #expand(name, text) {
    const copy = h("button", { type: "button", on: { click: () => navigator.clipboard.writeText(text).then(() => this.#app.toast("Copied"), () => this.#app.toast("The browser does not allow a copy here")) } }, icon("copy"), " Copy");
    dialog({ title: name, body: h("pre", { class: "whole-value log", dir: "auto", tabindex: "0" }, text), actions: copy });
  }

  async #download(format) {
    const { status } = this.#parts;
    const sql = this.#editor.area.value;
    const running = new AbortController();
    const stop = h("button", { type: "button", on: { click: () => running.abort() } }, "Stop the download");
    const progress = h("span", {}, "Asking…");
    fill(status, progress, " ", stop);
    try {
      const size = await download(this.#app, { sql, format, signal: running.signal, onProgress: (text) => fill(progress, text) });
      this.#say(`Downloaded ${size}`);
    } catch (error) {
      this.#say(running.signal.aborted ? "The download was stopped" : `Cannot download: ${error.message}`);
    }
  }
}

/** @param {{run: () => void, limit: (limit: number) => void}} on */
function makeParts(on) {
  const run = h("button", { type: "button", class: "primary", title: "Ctrl+Enter", on: { click: on.run } }, icon("play"), " Run");
  const limit = h(
    "select",
    { aria: { label: "Rows at most" }, on: { change: () => on.limit(Number(limit.value)) } },
    LIMITS.map((number) => h("option", { value: String(number), selected: number === 1000 }, `${count(number)} rows`)),
  );
  const historyButton = h("button", { type: "button" }, icon("clock"), " History");
  const examplesButton = h("button", { type: "button" }, icon("list"), " Examples");
  const downloadButton = h("button", { type: "button", disabled: true }, icon("download"), " Download");
  const status = h("p", { class: "totals sql-status" });
  const keys = h("p", { class: "quiet sql-keys", id: "sql-keys" }, "Ctrl+Enter runs · Alt+↑ ↓ history · Escape, Tab leaves");
  const tools = h("div", { class: "toolbar" }, run, limit, examplesButton, historyButton, downloadButton, keys);
  const result = h("div", { class: "sql-answer" });
  return { tools, status, result, limit, historyButton, examplesButton, downloadButton };
}
