// The lines that the search finds: as lines or as a table, newest or oldest first, live or not, with the details of one.

import * as api from "../lib/api.js";
import { fill, h, icon } from "../lib/dom.js";
import { plural } from "../lib/numbers.js";
import { chooseColumns, readColumns, tableHead, templateOf, widthOf, writeColumns } from "./columns.js";
import { Context } from "./context.js";
import { describeList, drawEnd, drawTop } from "./ends.js";
import { keyOf } from "./record_fields.js";
import { RecordList } from "./list.js";
import { bindKeys } from "./line_keys.js";
import { readView } from "./lines_view.js";
import { findMatches } from "./marks.js";
import { RecordPanel } from "./record.js";
import { keepStill, scrollerOf, watchSearchBar } from "./scrolling.js";
import { shortenSources } from "./source_names.js";
import { Tail } from "./tail.js";
import { BUDGET_S, openPart } from "./tasks.js";
import { openToolbar } from "./toolbar.js";

const FIRST = 100; // records of the first answer, for a fast first paint
const NEXT = 300;
const NARROW = 720; // pixels: here the details cover the lines
const REFRESH_MS = 10000;
const MOST = 3000; // records in the list: above this, those at its start go

/** @typedef {{tasks: import("./tasks.js").Tasks, onError?: (error: api.ApiError) => boolean}} Shared what the parts of the view share */

/**
 * @param {HTMLElement} container an empty element @param {any} app @param {import("./condition.js").Search} search @param {Shared} shared
 */
export function open(container, app, search, shared) {
  const lines = new Lines(container, app, search, shared);
  return { update: () => lines.sync(), load: () => lines.load(), close: () => lines.close() };
}

class Lines {
  /** @param {HTMLElement} container @param {any} app @param {import("./condition.js").Search} search @param {Shared} shared */
  constructor(container, app, search, { tasks, onError }) {
    this.container = container;
    this.app = app;
    this.search = search;
    this.say = /** @type {(text: string) => void} */ (app.say);
    this.view = readView(app.address.read().params, app.times.zone());
    this.find = findMatches("");
    this.columns = this.chosenColumns([]);
    this.hasChosen = false; // whether a record was there by which the columns were chosen
    this.sourceNames = /** @type {Map<string, string>} */ (new Map());
    this.cursor = this.searchedTo = /** @type {string | null} */ (null); // where a search goes on, and how far it has come
    this.failure = /** @type {string | null} */ (null); // why no more lines could be loaded
    this.tail = /** @type {Tail | null} */ (null);
    this.openedAt = /** @type {string | null} */ (null);
    this.condition = "";
    this.gone = this.refreshedAt = 0;
    this.isLoading = this.isTailed = false;

    const look = () => this.look();
    const head = () => tableHead(this.columns, { change: (columns) => this.setColumns(columns), preview: (columns) => this.previewColumns(columns) });
    const onOpen = (/** @type {any} */ record) => record.rejected || this.go({ at: keyOf(record) });
    this.list = new RecordList("Lines", { look, onOpen, head });
    this.toolbar = openToolbar(this);
    this.note = h("div", { class: "lines-note-place" });
    this.tailContainer = h("div", { class: "tail", hidden: true });
    this.top = h("div", { class: "lines-gone", hidden: true });
    this.end = h("div", { class: "lines-end" });
    const contextContainer = h("div", { class: "context", hidden: true });
    const recordContainer = h("aside", { class: "record", aria: { label: "Record" }, tabindex: -1 });
    this.found = h("div", { class: "found" }, this.note, this.tailContainer, this.top, this.list.element, this.end);
    fill(container, h("div", { class: "lines-view" }, h("div", { class: "lines-main" }, this.toolbar.element, this.found, contextContainer), recordContainer));
    this.context = new Context(contextContainer, { look, onOpen, head, say: this.say, onClose: () => this.go({ around: null }) });
    this.panel = new RecordPanel(recordContainer, this.doing());
    this.tasks = tasks;
    this.part = openPart({
      tasks, name: "lines", thing: "the lines", content: this.list.element, note: this.note, onError,
      ask: (signal) => api.get("records", { ...this.params(), ...(this.tail && { order: "newest" }), limit: FIRST, budget_s: BUDGET_S }, { signal }), show: (answer) => this.show(answer),
    });
    this.observer = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && this.more(), { rootMargin: "800px" });
    this.watchEnd = () => (this.observer.unobserve(this.end), this.observer.observe(this.end)); // it tells again whether the end is near
    this.watchEnd();
    this.stops = [
      search.onChange(() => this.load()), bindKeys(app.keys, this), api.onBack(() => this.failure && this.more()), watchSearchBar(container, () => this.fit()),
    ];
    this.sync();
  }

  /** @returns {import("./record.js").Doing} */
  doing() {
    const { search } = this;
    return {
      close: () => this.closeRecord(), step: (steps) => this.step(steps),
      around: (key) => this.go({ around: key, at: innerWidth < NARROW ? null : this.view.at }), find: () => this.find, say: this.app.toast ?? this.say,
      onlyColumn: (name) => this.go({ form: "table", columns: writeColumns([{ name: "ts", width: 190 }, { name, width: 480 }]) }),
      add: (name, value) => search.addValue(name, value), exclude: (name, value) => search.excludeValue(name, value), setRange: (since, until) => search.setRange(since, until),
    };
  }

  /** @returns {import("./row.js").Look} */
  look() {
    const { view, app } = this;
    const address = app.address.href({ params: { at: "0:0" } }, { keep: true }); // made once, not for each of thousands
    return {
      form: view.form, columns: this.columns, find: this.find, zone: view.zone, isWrapped: view.isWrapped,
      link: (record) => address.replace("at=0:0", `at=${keyOf(record)}`),
      shorten: (source) => this.sourceNames.get(source) ?? source,
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
    if (before.columns !== now.columns || (now.columns === null && before.form !== now.form)) this.columns = this.chosenColumns(this.list.records);
    if (JSON.stringify(this.params()) !== this.condition) this.load();
    else if (before.form !== now.form || before.isWrapped !== now.isWrapped || before.zone !== now.zone || before.columns !== now.columns) this.redraw();
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
    this.container.classList.toggle("has-record", Boolean(at));
    if (at) this.panel.show(at, this.shownList.byKey.get(at)?.record ?? null);
    else this.panel.close();
    for (const list of [this.list, this.context.list]) list.setOpen(at);
    const element = at && at !== this.openedAt && this.shownList.byKey.get(at)?.element;
    if (element) element.scrollIntoView({ block: "nearest" }); // not below the details
    if (element || !at) this.openedAt = at;
  }

  /** The list that the reader sees. */
  get shownList() {
    return this.view.around ? this.context.list : this.list;
  }

  /** Search from the beginning. */
  async load() {
    const condition = JSON.stringify(this.params());
    if (this.tail && condition === this.condition) return; // the tail is up to date
    this.condition = condition;
    this.find = findMatches(this.search.condition().q ?? "");
    if (this.tail) {
      this.stopTail();
      return this.startTail(); // with the new query; loads when the tail is open
    }
    await this.part.load();
  }

  /** @param {any} answer */
  show(answer) {
    this.columns = this.chosenColumns(answer.records);
    this.hasChosen = answer.records.length > 0;
    this.gone = 0;
    this.isTailed = Boolean(this.tail);
    if (this.tail && this.view.order === "oldest") answer.records.reverse(); // the newest ones, to which the tail adds
    this.cursor = answer.has_more && !this.tail ? answer.cursor : null;
    this.searchedTo = this.tail ? null : answer.searched_to;
    this.nameSources(answer.records);
    this.list.clear();
    this.previewColumns(this.columns);
    this.list.append(answer.records);
    this.drawEnds();
    this.syncRecord();
    this.watchEnd();
    this.say(answer.records.length ? `${plural(answer.records.length, "line")}${answer.has_more ? " and more" : ""}` : answer.has_more ? "No lines so far" : "No lines");
  }

  /** @param {any[]} records */
  nameSources(records) {
    const sources = new Set([...this.list.sources, ...records.map((record) => record.source)].filter(Boolean));
    this.sourceNames = shortenSources([...sources]);
    const longest = Math.max(4, ...[...this.sourceNames.values()].map((name) => name.length));
    this.container.style.setProperty("--source-width", `${Math.min(24, longest)}ch`);
  }

  /** Load the records behind the last one. */
  async more() {
    if (!this.cursor || this.isLoading || this.view.around || this.view.isLive) return;
    this.isLoading = true;
    this.drawEnds();
    const cursor = this.cursor;
    const result = await this.tasks.run("more lines", (signal) => api.get("records", { ...this.params(), cursor, limit: NEXT, budget_s: BUDGET_S }, { signal }));
    this.isLoading = false;
    if (result.isReplaced || cursor !== this.cursor) return;
    this.failure = result.answer ? null : (result.error?.message ?? "Stopped.");
    if (result.answer) {
      this.cursor = result.answer.has_more ? result.answer.cursor : null;
      this.searchedTo = result.answer.searched_to;
      this.nameSources(result.answer.records);
      this.list.append(result.answer.records);
      this.chooseLate();
      const tooMany = this.list.entries.length - MOST;
      if (tooMany > 0) keepStill(this.list.entries.at(-1)?.element, () => (this.gone += this.list.trim(MOST, "top")));
      this.watchEnd();
    }
    this.drawEnds();
  }

  /** The columns of a table: those in the address, or those that most of the records have. @param {any[]} records */
  chosenColumns(records) {
    return readColumns(this.view.columns) ?? chooseColumns(records);
  }

  /** Choose the columns by the first records that come after an empty answer. */
  chooseLate() {
    if (this.hasChosen || !this.list.entries.length) return;
    this.hasChosen = true;
    this.columns = this.chosenColumns(this.list.records);
    this.redraw();
  }

  /** Say what is above and below the list. */
  drawEnds() {
    const length = this.list.entries.length;
    const { cursor, isTailed, isLoading, failure, gone } = this;
    const state = { length, gone, searchedTo: this.searchedTo && this.app.times.format(this.searchedTo, { zone: this.view.zone }), hasMore: Boolean(cursor), isTailed, isLive: Boolean(this.tail), isLoading, failure, order: this.view.order };
    this.toolbar.say(describeList(state));
    this.top.hidden = !gone;
    fill(this.top, drawTop(state, () => this.load()));
    fill(this.end, drawEnd(state, { more: () => this.more(), again: () => this.load() }));
  }

  redraw() {
    const scroller = scrollerOf(this.list.element);
    const first = this.shownList.entries.find((entry) => entry.element.getBoundingClientRect().bottom > scroller.getBoundingClientRect().top + 60);
    this.previewColumns(this.columns);
    this.list.redraw();
    if (this.view.around) this.context.list.redraw();
    this.panel.draw();
    if (first) this.shownList.byKey.get(first.key)?.element.scrollIntoView({ block: "nearest" });
    for (const list of [this.list, this.context.list]) list.setOpen(this.view.at);
  }

  /** @param {import("./columns.js").Column[]} columns */
  previewColumns(columns) {
    this.container.style.setProperty("--table-columns", templateOf(columns));
    this.container.style.setProperty("--table-width", `${widthOf(columns)}px`);
    this.fit(columns);
  }

  /** A table that is not wider than its container needs no scrolling of its own, so its head can stay on screen. */
  fit(columns = this.columns) {
    for (const { element } of [this.list, this.context.list]) element.classList.toggle("fits", this.container.clientWidth > widthOf(columns) + 12);
  }

  /** @param {import("./columns.js").Column[]} columns */
  setColumns(columns) {
    this.go({ form: "table", columns: writeColumns(columns) }, { replace: true });
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
    this.tail = new Tail(this.tailContainer, {
      list: this.list, isNewestFirst: () => this.view.order === "newest", condition: () => this.search.condition(), say: this.say,
      onOpen: () => this.part.load(), onStop: () => this.go({ live: null }, { replace: true }),
      onRecords: () => { this.nameSources([]); this.chooseLate(); this.refreshCounts(); },
      onError: (error) => { this.stopTail(); fill(this.note, h("p", { class: "lines-note" }, icon("warning"), error.message)); },
    });
    this.drawEnds();
  }

  /** Let chart and counts follow the tail, at most every few seconds. */
  refreshCounts() {
    if (document.hidden || performance.now() - this.refreshedAt < REFRESH_MS) return;
    this.refreshedAt = performance.now();
    this.search.refresh();
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
    this.stopTail();
    this.panel.close();
    this.context.close();
  }
}
