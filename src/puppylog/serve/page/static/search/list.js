// A list of records: in slices, so that the browser skips those off screen, with a heading where the day changes.

import { fill, h } from "../lib/dom.js";
import { dayOf, drawRecord } from "./row.js";
import { keyOf } from "./record_fields.js";

/** @typedef {import("./row.js").Look} Look */
/** @typedef {{record: any, key: string, day: string, element: HTMLElement}} Entry */

const SLICE = 50; // records

export class RecordList {
  /**
   * @param {string} label for screen readers
   * @param {{look: () => Look, onOpen: (record: any) => void, head?: () => Node | null}} options
   *   head: the names of the columns, above a table
   */
  constructor(label, { look, onOpen, head }) {
    this.label = label;
    this.look = look;
    this.onOpen = onOpen;
    this.head = head;
    /** @type {Entry[]} from top to bottom */
    this.entries = [];
    /** @type {Map<string, Entry>} */
    this.byKey = new Map();
    /** @type {string | null} */
    this.active = null;
    /** @type {Set<string>} */
    this.sources = new Set();
    this.element = /** @type {HTMLElement} */ (h("div", { class: "line-list" }));
    this.element.addEventListener("click", (event) => this.onClick(event));
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.clear();
  }

  /** Remove all records. */
  clear() {
    this.entries = [];
    this.byKey.clear();
    this.sources.clear();
    this.active = null;
    const isTable = this.look().form === "table";
    this.element.classList.remove("has-severity", "has-fractions", "has-sources");
    this.element.classList.toggle("is-table", isTable);
    this.element.classList.toggle("is-wrapped", this.look().isWrapped);
    this.element.setAttribute("role", isTable ? "table" : "list");
    this.element.setAttribute("aria-label", this.label);
    fill(this.element, isTable && this.head?.());
  }

  /** All records, from top to bottom. */
  get records() {
    return this.entries.map((entry) => entry.record);
  }

  /** Draw all records again, in another form. */
  redraw() {
    const { records } = this;
    const active = this.active;
    const marked = new Map(this.entries.map((entry) => [entry.key, entry.element.className]));
    this.clear();
    this.append(records);
    for (const entry of this.entries) {
      const kept = (marked.get(entry.key) ?? "").split(" ").filter((name) => name.startsWith("is-"));
      entry.element.classList.add(...kept);
    }
    if (active) this.activate(active, { focus: false });
  }

  /** Add records at the end. Those that the list has already are left out. @param {any[]} records @returns {number} added */
  append(records) {
    return this.add(records, false);
  }

  /** Add records, given from top to bottom, at the top. @param {any[]} records @returns {number} added */
  prepend(records) {
    return this.add(records, true);
  }

  /** @param {any[]} records @param {boolean} isAtTop */
  add(records, isAtTop) {
    const look = this.look();
    const entries = records.filter((record) => !this.byKey.has(keyOf(record))).map((record) => this.entry(record, look));
    for (const entry of entries) this.byKey.set(entry.key, entry);
    if (!entries.length) return 0;
    const previousTop = this.entries[0];
    let above = isAtTop ? undefined : this.entries.at(-1);
    for (let start = 0; start < entries.length; start += SLICE) {
      const slice = this.slice(isAtTop, isAtTop ? previousTop?.element.parentElement : null, entries.length);
      for (const entry of entries.slice(start, start + SLICE)) {
        if (entry.day && entry.day !== above?.day && this.hasDays) slice.append(this.dayLine(entry.day));
        slice.append(entry.element);
        if (entry.day) above = entry;
      }
    }
    if (isAtTop && previousTop && above?.day === previousTop.day) this.dropDayLine(previousTop);
    this.entries = isAtTop ? [...entries, ...this.entries] : [...this.entries, ...entries];
    this.noteParts(entries);
    return entries.length;
  }

  /** @param {any} record @param {Look} look @returns {Entry} */
  entry(record, look) {
    return { record, key: keyOf(record), day: dayOf(record, look.zone), element: drawRecord(record, look) };
  }

  /** The part of the list for the next records. @param {boolean} isAtTop @param {Element | null | undefined} before @param {number} adding */
  slice(isAtTop, before, adding) {
    const last = this.element.lastElementChild;
    if (!isAtTop && last?.classList.contains("slice") && last.childElementCount + Math.min(adding, SLICE) <= SLICE * 1.2) return last;
    const slice = h("div", { class: "slice", role: this.look().form === "table" ? "rowgroup" : "presentation" });
    if (isAtTop && before) before.before(slice);
    else this.element.append(slice);
    return slice;
  }

  /** Whether a line tells the day; a table with the column of the time tells it in each row. */
  get hasDays() {
    const { form, columns } = this.look();
    return form === "lines" || !columns.some(({ name }) => name === "ts");
  }

  /** @param {string} day */
  dayLine(day) {
    if (this.look().form !== "table") return h("div", { class: "day", role: "listitem" }, h("span", null, day));
    return h("div", { class: "day", role: "row" }, h("span", { role: "cell", aria: { colspan: this.look().columns.length } }, day));
  }

  /** @param {Entry} entry */
  dropDayLine(entry) {
    const line = entry.element.previousElementSibling;
    if (line?.classList.contains("day")) line.remove();
  }

  /** Show the columns of severity, source and fractions only if a record needs them. @param {Entry[]} entries */
  noteParts(entries) {
    for (const { record } of entries) {
      if (record.severity) this.element.classList.add("has-severity");
      if (record.ts && /:\d\d\.(?!0+Z?$)\d/.test(record.ts)) this.element.classList.add("has-fractions");
      if (record.source) this.sources.add(record.source);
    }
    this.element.classList.toggle("has-sources", this.sources.size > 1);
    if (!this.active && this.entries.length) this.setActive(this.entries[0].key);
  }

  /** Keep at most so many records; those at one end go. @param {number} most @param {"top"|"bottom"} end @returns {number} records that went */
  trim(most, end) {
    let gone = 0;
    while (this.entries.length - gone > most) {
      const entry = this.entries[end === "top" ? gone : this.entries.length - 1 - gone];
      const slice = entry.element.parentElement;
      this.dropDayLine(entry);
      entry.element.remove();
      if (slice && !slice.childElementCount) slice.remove();
      this.byKey.delete(entry.key);
      gone += 1;
    }
    if (gone) this.entries = end === "top" ? this.entries.slice(gone) : this.entries.slice(0, -gone);
    const top = this.entries[0];
    if (gone && end === "top" && top && this.hasDays && !top.element.previousElementSibling?.classList.contains("day")) top.element.before(this.dayLine(top.day));
    if (this.active && !this.byKey.has(this.active)) this.setActive(this.entries[0]?.key ?? null);
    return gone;
  }

  /** @param {string | null} key */
  setActive(key) {
    const before = this.active && this.byKey.get(this.active);
    if (before) {
      before.element.classList.remove("is-active");
      before.element.querySelector(".line-time")?.setAttribute("tabindex", "-1");
    }
    this.active = key;
    const entry = key && this.byKey.get(key);
    if (!entry) return;
    entry.element.classList.add("is-active");
    entry.element.querySelector(".line-time")?.setAttribute("tabindex", "0");
  }

  /** Make a record the one that keys act on. @param {string} key @param {{focus?: boolean}} [options] */
  activate(key, { focus = true } = {}) {
    this.setActive(key);
    const element = this.byKey.get(key)?.element;
    if (!element) return;
    element.scrollIntoView({ block: "nearest" });
    if (focus) /** @type {HTMLElement | null} */ (element.querySelector(".line-time"))?.focus({ preventScroll: true });
  }

  /** The record that keys act on. @returns {any} */
  get activeRecord() {
    return (this.active && this.byKey.get(this.active)?.record) ?? null;
  }

  /** Move to a neighbour. @param {number} steps @returns {boolean} whether there is one */
  move(steps) {
    const at = this.entries.findIndex((entry) => entry.key === this.active);
    const next = this.entries[Math.max(0, Math.min(this.entries.length - 1, at + steps))];
    if (!next) return false;
    const moved = next.key !== this.active;
    this.activate(next.key);
    return moved;
  }

  /** Go to the next or the previous match of the query. @param {1 | -1} step @returns {boolean} whether there is one */
  moveToMatch(step) {
    const marks = [...this.element.querySelectorAll("mark")];
    if (!marks.length) return false;
    const activeRow = this.active ? this.byKey.get(this.active)?.element : null;
    const before = this.element.querySelector("mark.is-current");
    const now = activeRow?.querySelector("mark.is-current"); // not after the reader has gone to another line
    const start = marks.findIndex((mark) => activeRow && (activeRow.contains(mark) || Boolean(activeRow.compareDocumentPosition(mark) & 4)));
    const at = now ? marks.indexOf(/** @type {HTMLElement} */ (now)) + step : step > 0 ? Math.max(0, start) : (start < 0 ? marks.length : start) - 1;
    const mark = marks.at(((at % marks.length) + marks.length) % marks.length);
    before?.classList.remove("is-current");
    mark?.classList.add("is-current");
    const key = mark?.closest(".line")?.getAttribute("data-key");
    if (key) this.activate(key);
    mark?.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** Mark the record whose details are shown. @param {string | null} key */
  setOpen(key) {
    this.element.querySelector(".is-open")?.classList.remove("is-open");
    this.element.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const entry = key && this.byKey.get(key);
    if (!entry) return;
    entry.element.classList.add("is-open");
    entry.element.querySelector(".line-time")?.setAttribute("aria-current", "true");
    this.setActive(entry.key);
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    const target = /** @type {Element} */ (event.target);
    const key = target.closest(".line")?.getAttribute("data-key");
    const entry = key && this.byKey.get(key);
    if (!entry || (target.closest("button, a") && !target.closest(".line-time"))) return;
    const selection = getSelection();
    if (!target.closest(".line-time") && selection && !selection.isCollapsed && this.element.contains(selection.anchorNode)) return;
    event.preventDefault();
    this.setActive(entry.key);
    this.onOpen(entry.record);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -1e9, End: 1e9 }[event.key];
    if (!steps || !(/** @type {Element} */ (event.target).closest(".line"))) return;
    event.preventDefault();
    this.move(steps);
  }
}
