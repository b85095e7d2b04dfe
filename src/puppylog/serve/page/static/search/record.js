// All that is known of one record: its fields with what one can do with them, its text as it was in its file.

import * as address from "../lib/address.js";
import { get } from "../lib/api.js";
import { fill, h, icon, iconButton } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { color } from "../lib/severity.js";
import { format, relative, zoneName } from "../lib/times.js";
import { copyText } from "./copy.js";
import { COLUMNS, keyOf, known, sourceOfTime } from "./record_fields.js";
import { fieldRows } from "./field_rows.js";
import { longText } from "./long_text.js";
import { severityOf } from "./row.js";

/**
 * What the panel asks of the list and of the search.
 * @typedef {object} Doing
 * @property {() => void} close
 * @property {(steps: number) => void} step to a neighbour in the list
 * @property {(key: string) => void} around show the neighbours in the file
 * @property {(name: string) => void} onlyColumn show the table with this field as its only column
 * @property {(name: string, value: any) => void} add to the search
 * @property {(name: string, value: any) => void} exclude from the search
 * @property {(since: string | null, until: string | null) => void} setRange
 * @property {(text: string) => void} say
 * @property {() => (name: string, text: string) => number[][]} find the matches of the query
 */

export class RecordPanel {
  /** @param {HTMLElement} container @param {Doing} doing */
  constructor(container, doing) {
    this.container = container;
    this.doing = doing;
    this.control = new AbortController();
    /** @type {string | null} "file:offset" */
    this.key = null;
    /** @type {any} */
    this.record = null;
    /** @type {{text: string | null, is_exact: boolean} | null} */
    this.raw = null;
    container.hidden = true;
  }

  /** Show a record. @param {string} key @param {any} record as the list has it, or null */
  async show(key, record) {
    if (this.key === key && (this.record || !record)) return;
    this.control.abort();
    this.control = new AbortController();
    const signal = this.control.signal;
    Object.assign(this, { key, record, raw: null });
    this.container.hidden = false;
    this.draw(record ? null : "Loading…");
    this.container.scrollTop = 0;
    try {
      const [file_id, line_offset] = key.split(":");
      const answer = await get("records/one", { file_id, line_offset }, { signal });
      Object.assign(this, { record: answer.record, raw: answer });
      this.draw(null);
    } catch (error) {
      if (signal.aborted) return;
      const cause = /** @type {any} */ (error);
      this.draw(cause.status === 404 ? "The store does not have this record (any more)." : cause.message);
    }
  }

  close() {
    this.control.abort();
    Object.assign(this, { key: null, record: null, raw: null });
    this.container.hidden = true;
    fill(this.container);
  }

  /** Draw it again, for example in another zone. @param {string | null} note */
  draw(note = null) {
    const hadFocus = this.container.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : null;
    fill(this.container, this.head(), h("div", { class: "record-body" },
      note && h("p", { class: "lines-note", role: "status" }, note),
      this.record && [
        h("div", { class: "record-text" }, this.summary(), this.message(), this.rawText()),
        h("div", { class: "record-fields" }, this.fields(), this.origin()),
      ]));
    if (hadFocus) /** @type {HTMLElement | null} */ (this.container.querySelector(`[aria-label="${CSS.escape(hadFocus)}"]`))?.focus();
  }

  head() {
    const { doing, key } = this;
    return h("header", { class: "record-head" },
      h("h2", null, "Record"),
      iconButton("up", "Record above", () => doing.step(-1)),
      iconButton("down", "Record below", () => doing.step(1)),
      h("span", { class: "grow" }),
      iconButton("list", "Lines around it in its file", () => doing.around(/** @type {string} */ (key))),
      iconButton("copy", "Copy the line as it was", () => this.copy()),
      iconButton("link", "Copy a link to this record", () => copyText(new URL(address.href({ params: { at: key } }, { keep: true }), location.href).href, "The link", doing.say)),
      iconButton("close", "Close the record", doing.close));
  }

  /** The time in both zones, and relative. */
  summary() {
    const { record, doing } = this;
    const severity = severityOf(record);
    const origin = sourceOfTime(record);
    const local = format(record.ts, { fraction: 6, zone: "local" });
    const utc = format(record.ts, { fraction: 6, zone: "UTC" });
    return h("div", { class: "record-time" },
      severity && h("span", { class: "severity-word", style: { color: color(severity.name) } }, record.severity),
      h("dl", null,
        local !== utc && h("div", null, h("dt", null, "Here"), h("dd", null, local, h("span", { class: "quiet" }, ` ${Intl.DateTimeFormat().resolvedOptions().timeZone}`))),
        h("div", null, h("dt", null, "UTC"), h("dd", null, utc)),
        h("div", null, h("dt", null, "Age"), h("dd", null, relative(record.ts)))),
      origin && h("p", { class: "lines-note" }, icon("warning"), `The line has no time. This is the ${origin}.`),
      h("div", { class: "row" },
        h("button", { type: "button", class: "quiet-button", on: { click: () => doing.setRange(record.ts, null) } }, "Search from here on"),
        h("button", { type: "button", class: "quiet-button", on: { click: () => doing.setRange(...around(record.ts)) } }, "Search ± 1 min")));
  }

  message() {
    const message = this.record.message;
    if (!known(message)) return null;
    const cut = this.record.cut?.message;
    return h("section", { class: "record-message" },
      h("h3", null, "Message", h("span", { class: "grow" }), iconButton("copy", "Copy the message", () => copyText(message, "The message", this.doing.say))),
      message === "" ? h("p", { class: "absent" }, "(empty message)") : longText(message, this.doing.find()("message", message)),
      cut && h("p", { class: "lines-note" }, `The first part of ${count(cut)} characters. The rest is loading, or cannot be read.`));
  }

  fields() {
    const columns = COLUMNS.filter((name) => known(this.record[name])).map((name) => /** @type {[string, any]} */ ([name, this.record[name]]));
    return h("section", null, h("h3", null, "Fields"), fieldRows(columns, this.record.attributes, this.doing));
  }

  rawText() {
    if (!this.raw) return null;
    const { text, is_exact: isExact } = this.raw;
    const how = isExact ? "As it is in its file." : "Put together from the columns: its file is gone, has changed, or is on another machine.";
    return h("section", { class: "record-line" },
      h("h3", null, "Line", h("span", { class: "grow" }), known(text) && iconButton("copy", "Copy the line", () => this.copy())),
      h("p", { class: isExact ? "quiet" : "lines-note" }, known(text) ? how : "The text of the line is not known."),
      text !== null && longText(text, []));
  }

  origin() {
    const { record } = this;
    const rows = /** @type {[string, any][]} */ ([["source", record.source], ["file", record.file], ["group", record.group]].filter(([, value]) => known(value)));
    return h("section", null, h("h3", null, "Origin"), fieldRows(rows, null, this.doing),
      h("p", { class: "quiet" }, `Line at byte ${count(record.line_offset)} of file ${record.file_id}, stream ${record.stream_id}.`));
  }

  /** Copy the line as it was in its file. */
  async copy() {
    const text = this.raw?.text ?? this.record?.message;
    if (known(text)) await copyText(text, this.raw?.is_exact ? "The line" : "The line, put together from its columns,", this.doing.say);
  }
}

/** @param {string} ts @returns {[string, string]} */
function around(ts) {
  const ms = new Date(ts).getTime();
  return [new Date(ms - 60000).toISOString(), new Date(ms + 60000).toISOString()];
}

/** Copy a record's line. @param {any} record @param {(text: string) => void} say */
export async function copyLine(record, say) {
  const [file_id, line_offset] = keyOf(record).split(":");
  const answer = await get("records/one", { file_id, line_offset });
  await copyText(answer.text ?? answer.record.message ?? "", answer.is_exact ? "The line" : "The line, put together from its columns,", say);
}
