// The records before and after one in its file, with the rejected lines between them.

import { get } from "../lib/api.js";
import { fill, h, icon } from "../lib/dom.js";
import { format } from "../lib/times.js";
import * as address from "../lib/address.js";
import { keyOf } from "./record_fields.js";
import { RecordList } from "./list.js";
import { valueTerm } from "./query.js";
import { keepStill } from "./scrolling.js";

const FIRST = 25; // records on each side
const MORE = 100;
const NEAR_MS = 300000;

/** Shows the neighbours of a record in place of the list of what was found. */
export class Context {
  /**
   * @param {HTMLElement} container
   * @param {{look: () => import("./row.js").Look, onOpen: (record: any) => void, onClose: () => void, say: (text: string) => void, head: () => Node | null}} options
   */
  constructor(container, { look, onOpen, onClose, say, head }) {
    this.container = container;
    this.onClose = onClose;
    this.say = say;
    this.list = new RecordList("Records of the file", { look, onOpen, head });
    this.title = h("h2", { class: "context-title" });
    this.note = h("p", { class: "lines-note", role: "status" });
    this.before = this.button("up", "before", () => this.more("before"));
    this.after = this.button("down", "after", () => this.more("after"));
    this.search = h("a", { class: "quiet-link" }, "Search this file");
    fill(container,
      h("div", { class: "context-bar" },
        h("button", { type: "button", on: { click: onClose } }, icon("left"), "Back to what was found"), this.title, this.search),
      this.note, this.before, this.list.element, this.after);
    /** @type {string | null} */
    this.center = null;
    this.control = new AbortController();
  }

  /** @param {"up" | "down"} name @param {string} side @param {() => void} onClick @returns {HTMLButtonElement} */
  button(name, side, onClick) {
    return h("button", { type: "button", class: "more-button", hidden: true, on: { click: onClick } }, icon(name), `${MORE} more ${side}`);
  }

  /** Show the neighbours of a record. @param {string} key "file:offset" */
  async show(key) {
    if (this.center === key) return;
    this.close();
    this.center = key;
    this.container.hidden = false;
    fill(this.title, "Around a record");
    this.list.clear();
    const answer = await this.load(key, FIRST, FIRST);
    if (!answer) return;
    this.add(answer, "append");
    this.before.hidden = !answer.has_before;
    this.after.hidden = !answer.has_after;
    const center = this.list.byKey.get(key);
    if (!center) return this.fail("The store has no record at this place of the file.");
    center.element.classList.add("is-center");
    this.name(center.record);
    this.list.setActive(key);
    center.element.scrollIntoView({ block: "center" });
    this.say(`${this.list.entries.length} lines around the record`);
  }

  close() {
    this.control.abort();
    this.control = new AbortController();
    this.center = null;
    this.container.hidden = true;
    this.before.hidden = this.after.hidden = true;
    fill(this.note);
  }

  /** @param {any} record */
  name(record) {
    fill(this.title, "Around ", h("time", null, format(record.ts, { fraction: 3 })), " in ", h("bdi", { class: "log" }, record.file ?? record.source ?? ""));
    if (record.file) this.search.href = address.href({ params: { q: valueTerm("file", record.file), since: before(record.ts), until: null, around: null, at: keyOf(record), order: "oldest" } }, { keep: true });
  }

  /** @param {string} key @param {number} before @param {number} after */
  async load(key, before, after) {
    const [file_id, line_offset] = key.split(":");
    const signal = this.control.signal;
    try {
      return await get("records/context", { file_id, line_offset, before, after }, { signal });
    } catch (error) {
      if (!signal.aborted) this.fail(/** @type {Error} */ (error).message);
      return null;
    }
  }

  /** @param {string} message */
  fail(message) {
    fill(this.note, icon("warning"), message);
  }

  /** @param {"before" | "after"} side */
  async more(side) {
    const edge = side === "before" ? this.list.entries[0] : this.list.entries.at(-1);
    const records = this.list.entries.filter((entry) => !entry.record.rejected);
    const anchor = (side === "before" ? records[0] : records.at(-1)) ?? edge;
    if (!anchor) return;
    const button = this[side];
    button.disabled = true;
    const answer = await this.load(anchor.key, side === "before" ? MORE : 0, side === "after" ? MORE : 0);
    button.disabled = false;
    if (!answer) return;
    keepStill(side === "before" ? edge?.element : undefined, () => this.add(answer, side === "before" ? "prepend" : "append"));
    button.hidden = !(side === "before" ? answer.has_before : answer.has_after);
  }

  /** @param {any} answer @param {"append" | "prepend"} how */
  add(answer, how) {
    const fileId = answer.records[0]?.file_id;
    const rejected = answer.rejected.map((/** @type {any} */ one) => ({ file_id: fileId, line_offset: one.line_offset, rejected: one }));
    this.list[how]([...answer.records, ...rejected].sort((a, b) => a.line_offset - b.line_offset));
  }
}

/** Some minutes before a time, so that a search of the whole file begins near a record. @param {string} ts */
function before(ts) {
  const ms = new Date(ts).getTime();
  return Number.isNaN(ms) ? null : new Date(ms - NEAR_MS).toISOString();
}
