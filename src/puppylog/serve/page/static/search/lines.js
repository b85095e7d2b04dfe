// The lines that the search finds: as lines or as a table, newest or oldest first, live or not, with the details of one.

import * as api from "../lib/api.js";
import { fill, h, icon } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";
import { chooseColumns, openChooser, readColumns, tableHead, templateOf, writeColumns } from "./columns.js";
import { Context } from "./context.js";
import { openDownload } from "./download.js";
import { keyOf } from "./record_fields.js";
import { RecordList } from "./list.js";
import { bindKeys } from "./line_keys.js";
import { findMatches } from "./marks.js";
import { RecordPanel } from "./record.js";
import { keepStill, scrollerOf } from "./scrolling.js";
import { shortenSources } from "./source_names.js";
import { Tail } from "./tail.js";
import { openPart, openTasks } from "./tasks.js";
import { openToolbar } from "./toolbar.js";

const FIRST = 100; // records of the first answer, for a fast first paint
const NEXT = 300;
const NARROW = 720; // pixels: here the details cover the lines
const MOST = 6000; // records in the list: above this, those at its start go

/** @typedef {{form: "lines" | "table", isWrapped: boolean, order: "newest" | "oldest", columns: string | null, at: string | null, around: string | null, isLive: boolean, zone: "local" | "UTC"}} View */

/** What the address says of the lines. @param {URLSearchParams} params @param {"local" | "UTC"} zone @returns {View} */
function readView(params, zone) {
  const place = (/** @type {string} */ name) => (/^\d+:\d+$/.test(params.get(name) ?? "") ? params.get(name) : null);
  return {
    form: params.get("form") === "table" ? "table" : "lines", isWrapped: params.get("wrap") !== "0",
    order: params.get("order") === "oldest" ? "oldest" : "newest", columns: params.get("columns"),
    at: place("at"), around: place("around"), isLive: params.get("live") === "1", zone,
  };
}

/**
 * @param {HTMLElement} place an empty element
 * @param {any} app
 * @param {import("./condition.js").Search} search
 * @param {{tasks?: import("./tasks.js").Tasks, onError?: (error: api.ApiError) => boolean}} [shared]
 */
export function open(place, app, search, shared = {}) {
  const lines = new Lines(place, app, search, shared);
  return { update: () => lines.sync(), load: () => lines.load(), close: () => lines.close() };
}

class Lines {
  /** @param {HTMLElement} place @param {any} app @param {import("./condition.js").Search} search @param {any} shared */
  constructor(place, app, search, shared) {
    Object.assign(this, { place, app, search });
    this.say = app.say;
    this.view = readView(app.address.read().params, app.times.zone());
    this.find = findMatches("");
    this.columns = readColumns(this.view.columns) ?? chooseColumns([]);
    this.cursor = /** @type {string | null} */ (null);
    this.gone = 0;
    this.condition = "";
    this.tail = /** @type {Tail | null} */ (null);
    this.build(shared);
    this.stops = [
      search.onChange(() => this.load()), bindKeys(app.keys, this), api.onBack(() => this.retryMore()),
    ];
    this.sync();
  }

  /** @param {any} shared */
  build({ tasks, onError }) {
    const { app, place } = this;
    const look = () => this.look();
    const head = () => tableHead(this.columns, { change: (columns) => this.setColumns(columns), preview: (columns) => this.previewColumns(columns) });
    const onOpen = (/** @type {any} */ record) => record.rejected || this.go({ at: keyOf(record) });
    this.list = new RecordList("Lines", { look, onOpen, head });
    this.toolbar = openToolbar(this);
    this.note = h("div", { class: "lines-note-place" });
    this.tailPlace = h("div", { class: "tail", hidden: true });
    this.top = h("div", { class: "lines-gone", hidden: true });
    this.end = h("div", { class: "lines-end" });
    const contextPlace = h("div", { class: "context", hidden: true });
    this.recordPlace = h("aside", { class: "record", aria: { label: "Record" }, tabindex: -1 });
    const own = h("div");
    this.found = h("div", { class: "found" }, own, this.note, this.tailPlace, this.top, this.list.element, this.end);
    fill(place, h("div", { class: "lines-view" }, h("div", { class: "lines-main" }, this.toolbar.element, this.found, contextPlace), this.recordPlace));
    this.tasks = tasks ?? openTasks(own, app);
    this.context = new Context(contextPlace, { look, onOpen, head, say: this.say, onClose: () => this.go({ around: null }) });
    this.panel = new RecordPanel(this.recordPlace, this.doing());
    this.part = openPart({
      tasks: this.tasks, name: "lines", thing: "the lines", content: this.list.element, note: this.note, onError,
      ask: (signal) => api.get("records", { ...this.params(), limit: FIRST }, { signal }), show: (answer) => this.show(answer),
    });
    this.observer = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && this.more(), { rootMargin: "800px" });
    this.observer.observe(this.end);
    const bar = place.closest(".search-view")?.querySelector(".search-bar");
    this.sizes = new ResizeObserver(() => bar && place.style.setProperty("--search-bar", `${getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0}px`));
    if (bar) this.sizes.observe(bar);
  }

  /** @returns {import("./record.js").Doing} */
  doing() {
    const { search } = this;
    return {
      close: () => this.closeRecord(), step: (steps) => this.step(steps),
      around: (key) => this.go({ around: key, at: innerWidth < NARROW ? null : this.view.at }), find: () => this.find, say: this.app.toast ?? this.say,
      onlyColumn: (name) => this.go({ form: "table", columns: writeColumns([{ name: "ts", width: 190 }, { name, width: 480 }]) }),
      add: (name, value) => search.addValue(name, value), exclude: (name, value) => search.excludeValue(name, value),
      setRange: (since, until) => search.setRange(since, until),
    };
  }

  /** @returns {import("./row.js").Look} */
  look() {
    const { view, app } = this;
    return {
      form: view.form, columns: this.columns, find: this.find, zone: view.zone, isWrapped: view.isWrapped,
      link: (record) => app.address.href({ params: { at: keyOf(record) } }, { keep: true }),
      shorten: (source) => this.sourceNames?.get(source) ?? source,
    };
  }

  /** Change the address. @param {Record<string, any>} params @param {{replace?: boolean}} [options] */
  go(params, options) {
    this.app.address.go({ params }, { keep: true, ...options });
  }

  params() {
    return { ...this.search.params(), order: this.view.order };
  }

  /** Do what the address says. */
  sync() {
    const before = this.view;
    const now = (this.view = readView(this.app.address.read().params, this.app.times.zone()));
    this.toolbar.draw();
    if (before.columns !== now.columns || (now.columns === null && before.form !== now.form)) this.columns = readColumns(now.columns) ?? chooseColumns(this.list.entries.map(({ record }) => record));
    if (JSON.stringify(this.params()) !== this.condition) this.load();
    else if (["form", "isWrapped", "zone", "columns"].some((name) => before[name] !== now[name])) this.redraw();
    this.syncContext();
    this.syncRecord();
    if (now.isLive !== Boolean(this.tail)) now.isLive ? this.startTail() : this.stopTail();
  }

  syncContext() {
    const { around } = this.view;
    this.found.hidden = Boolean(around);
    if (around) this.context.show(around);
    else if (this.context.center) {
      this.context.close();
      if (this.view.at) this.list.byKey.get(this.view.at)?.element.scrollIntoView({ block: "center" });
    }
  }

  syncRecord() {
    const { at } = this.view;
    this.place.classList.toggle("has-record", Boolean(at));
    if (at) this.panel.show(at, this.shownList.byKey.get(at)?.record ?? null);
    else this.panel.close();
    for (const list of [this.list, this.context.list]) list.setOpen(at);
  }

  /** The list that the reader sees. */
  get shownList() {
    return this.view.around ? this.context.list : this.list;
  }

  /** Search from the beginning. */
  async load() {
    this.condition = JSON.stringify(this.params());
    this.find = findMatches(this.search.condition().q ?? "");
    if (this.tail) {
      this.stopTail();
      return this.startTail(); // with the new query; loads when the tail is open
    }
    await this.part.load();
  }

  /** @param {any} answer */
  show(answer) {
    if (!this.view.columns) this.columns = chooseColumns(answer.records);
    this.gone = 0;
    this.cursor = answer.has_more ? answer.cursor : null;
    this.nameSources(answer.records);
    this.list.clear();
    this.drawColumns();
    this.list.append(answer.records);
    this.drawEnds();
    this.syncRecord();
    this.say(answer.records.length ? `${plural(answer.records.length, "line")}${answer.has_more ? " and more" : ""}` : "No lines");
  }

  /** @param {any[]} records */
  nameSources(records) {
    const sources = new Set([...this.list.sources, ...records.map((record) => record.source)].filter(Boolean));
    this.sourceNames = shortenSources([...sources]);
    const longest = Math.max(4, ...[...this.sourceNames.values()].map((name) => name.length));
    this.place.style.setProperty("--source-width", `${Math.min(24, longest)}ch`);
  }

  /** Load the records behind the last one. */
  async more() {
    if (!this.cursor || this.isLoading || this.view.around || this.view.isLive) return;
    this.isLoading = true;
    this.drawEnds();
    const cursor = this.cursor;
    const result = await this.tasks.run("more lines", (signal) => api.get("records", { ...this.params(), cursor, limit: NEXT }, { signal }));
    this.isLoading = false;
    if (result.isReplaced || cursor !== this.cursor) return;
    this.failure = result.answer ? null : (result.error?.message ?? "Stopped.");
    if (result.answer) {
      this.cursor = result.answer.has_more ? result.answer.cursor : null;
      this.nameSources(result.answer.records);
      this.list.append(result.answer.records);
      this.letGo();
    }
    this.drawEnds();
  }

  /** Remove records at the start of a list that has grown too long. */
  letGo() {
    const tooMany = this.list.entries.length - MOST;
    if (tooMany > 0) keepStill(this.list.entries.at(-1)?.element, () => (this.gone += this.list.trim(MOST, "top")));
  }

  retryMore() {
    if (this.failure) this.more();
  }

  /** Say what is above and below the list. */
  drawEnds() {
    const length = this.list.entries.length;
    const { order } = this.view;
    this.top.hidden = !this.gone;
    if (this.gone) fill(this.top, `${plural(this.gone, "line")} before these ${this.gone === 1 ? "is" : "are"} not shown any more. `, h("button", { type: "button", class: "link", on: { click: () => this.load() } }, "Back to the start"));
    const status = !length ? "" : this.cursor ? `${count(this.gone + length)} lines, and more below` : `${plural(this.gone + length, "line")}, all that match`;
    this.toolbar.say(this.tail ? "" : `${status}${length ? `, ${order} first` : ""}`);
    const button = this.cursor && !this.tail && h("button", { type: "button", class: "more-button", disabled: this.isLoading, on: { click: () => this.more() } }, this.isLoading ? "Loading more…" : "More lines");
    const bottom = !length ? (this.tail ? "No lines yet." : "No lines.") : !this.cursor && !this.tail ? (order === "newest" ? "The oldest line that matches." : "The newest line that matches.") : null;
    fill(this.end, this.failure && h("p", { class: "lines-note" }, icon("warning"), this.failure), button, bottom && h("p", { class: "lines-bottom" }, bottom));
  }

  redraw() {
    const scroller = scrollerOf(this.list.element);
    const first = this.shownList.entries.find((entry) => entry.element.getBoundingClientRect().bottom > scroller.getBoundingClientRect().top + 60);
    this.drawColumns();
    this.list.redraw();
    if (this.view.around) this.context.list.redraw();
    this.panel.draw();
    if (first) this.shownList.byKey.get(first.key)?.element.scrollIntoView({ block: "nearest" });
    for (const list of [this.list, this.context.list]) list.setOpen(this.view.at);
  }

  drawColumns() {
    this.previewColumns(this.columns);
  }

  /** @param {import("./columns.js").Column[]} columns */
  previewColumns(columns) {
    this.place.style.setProperty("--table-columns", templateOf(columns));
  }

  /** @param {import("./columns.js").Column[]} columns */
  setColumns(columns) {
    this.go({ form: "table", columns: writeColumns(columns) }, { replace: true });
  }

  chooseColumns() {
    openChooser(this.columns, this.list.entries.map(({ record }) => record), this.search.params(), (columns) => this.setColumns(columns));
  }

  /** @param {HTMLButtonElement} button */
  makeDownload(button) {
    openDownload(button, { params: () => this.params(), app: this.app, say: this.app.toast ?? this.say });
  }

  closeRecord() {
    const key = this.view.at;
    this.go({ at: null });
    if (key) this.shownList.activate(key);
  }

  /** Show the neighbour of the record that is open. @param {number} steps */
  step(steps) {
    if (!this.shownList.move(steps)) return;
    const record = this.shownList.activeRecord;
    if (record && !record.rejected) this.go({ at: keyOf(record) }, { replace: true });
  }

  startTail() {
    if (this.search.condition().until) return this.search.setRange(this.search.condition().since, null);
    this.tail = new Tail(this.tailPlace, {
      list: this.list, isNewestFirst: () => this.view.order === "newest", condition: () => this.search.condition(), say: this.say,
      onOpen: () => this.part.load(), onStop: () => this.go({ live: null }, { replace: true }),
      onRecords: () => this.nameSources([]),
      onError: (error) => { this.stopTail(); fill(this.note, h("p", { class: "lines-note" }, icon("warning"), error.message)); },
    });
    this.drawEnds();
  }

  stopTail() {
    this.tail?.close();
    this.tail = null;
    this.drawEnds();
  }

  close() {
    for (const stop of this.stops) stop();
    this.part.close();
    this.observer.disconnect();
    this.sizes.disconnect();
    this.stopTail();
    this.panel.close();
    this.context.close();
  }
}
