// New records as they are stored. The list stands still while the reader has scrolled away from its newest line, or has
// selected text in it: a button then tells how many lines wait.

import { listen } from "../lib/events.js";
import { fill, h, icon } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";
import { format, zoneName } from "../lib/times.js";
import { keyOf } from "./record_fields.js";
import { scrollerOf } from "./scrolling.js";

const MOST = 2000; // records that the list keeps, and as many wait
const DRAW_EVERY_MS = 150;
const SCROLL_MS = 1000; // so long after an input the list may still scroll because of it
const EDGE = 16; // pixels: nearer to its end, the list goes on

/**
 * @typedef {object} Options
 * @property {import("./list.js").RecordList} list
 * @property {() => boolean} isNewestFirst
 * @property {() => {q: string | null, group: string | null}} condition
 * @property {() => Promise<void>} onOpen loads the records that were stored before the tail began
 * @property {(error: Error) => void} onError the server refuses, for example because the query has a mistake
 * @property {() => void} onStop
 * @property {() => void} onRecords
 * @property {(text: string) => void} say
 */

export class Tail {
  /** @param {HTMLElement} container @param {Options} options */
  constructor(container, options) {
    this.container = container;
    this.options = options;
    this.control = new AbortController();
    /** @type {any[]} */
    this.waiting = [];
    this.isPaused = false;
    this.isFollowing = true; // false: the reader has scrolled away from the end where new records come
    this.isReady = false; // whether the records before the tail are in the list
    this.isAway = "";
    this.arrived = this.skipped = this.released = this.unknownFiles = this.timer = 0;
    this.state = h("span", { class: "tail-state" });
    this.notes = h("span", { class: "tail-notes quiet" });
    this.pause = h("button", { type: "button", class: "quiet-button", on: { click: () => this.setPaused(!this.isPaused) } });
    this.more = h("button", { type: "button", class: "primary tail-more", hidden: true, on: { click: () => this.goOn() } });
    fill(container, h("div", { class: "tail-bar" }, this.state, this.pause, h("button", { type: "button", class: "quiet-button", on: { click: options.onStop } }, icon("stop"), "Stop"), this.notes), this.more);
    this.container.hidden = false;
    this.since = new Date();
    this.draw();
    this.start();
  }

  start() {
    const { condition, onOpen, onError } = this.options;
    const { q, group } = condition();
    let isFirst = true;
    this.events = listen("records/tail", { q, group, tz: zoneName() }, {
      on: {
        records: (data) => this.onRecords(data),
        away: (data) => this.setAway(data?.message || "The store does not answer."),
        back: () => this.setAway(""),
        failed: (data) => onError(new Error(data.message)),
      },
      onOpen: async () => {
        this.setAway("");
        if (!isFirst) return;
        isFirst = false;
        await onOpen();
        if (this.control.signal.aborted) return;
        this.isReady = true;
        this.leaveOutShown();
        this.toEdge();
        this.flush();
      },
      onBreak: () => this.setAway("The server does not answer. The tail goes on where it ended."),
      onError,
    });
    this.watchReader();
  }

  /** Notice when the reader scrolls. The list also scrolls by itself, when lines come or get their height. */
  watchReader() {
    const options = { signal: this.control.signal, passive: true, capture: true };
    const scroller = scrollerOf(this.container);
    let movedAt = -Infinity;
    let isHolding = false;
    for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(type, () => (movedAt = performance.now()), options);
    addEventListener("pointerdown", () => (isHolding = true), options);
    for (const type of ["pointerup", "pointercancel"]) addEventListener(type, () => (isHolding = false), options);
    scroller.addEventListener("scroll", () => {
      const isAtEdge = this.distance() <= EDGE;
      if (isAtEdge || isHolding || performance.now() - movedAt < SCROLL_MS) this.isFollowing = isAtEdge;
      if (this.waiting.length) this.flush();
    }, options);
    document.addEventListener("selectionchange", () => this.waiting.length && this.flush(), options);
  }

  close() {
    this.events?.close();
    this.control.abort();
    clearTimeout(this.timer);
    this.container.hidden = true;
    fill(this.container);
  }

  /** @param {{records: any[], skipped?: number, unknown_files?: number}} data */
  onRecords({ records, skipped = 0, unknown_files: files = 0 }) {
    this.arrived += records.length;
    this.skipped += skipped;
    this.unknownFiles = Math.max(this.unknownFiles, files);
    this.waiting = this.waiting.concat(records);
    if (this.isReady) this.leaveOutShown();
    const tooMany = this.waiting.length - MOST;
    if (tooMany > 0) {
      this.waiting.splice(0, tooMany);
      this.released += tooMany;
    }
    this.timer ||= setTimeout(() => this.flush(), DRAW_EVERY_MS);
    this.options.onRecords();
  }

  /** Drop records that the list has already: those stored while the tail began are in the first answer, too. */
  leaveOutShown() {
    const { byKey } = this.options.list;
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((record) => !byKey.has(keyOf(record)));
    this.arrived -= before - this.waiting.length;
  }

  /** Put the records that wait into the list, unless it stands still. */
  flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.isReady && this.waiting.length && !this.isHeld()) {
      const { list, isNewestFirst } = this.options;
      const records = this.waiting;
      this.waiting = [];
      if (isNewestFirst()) list.prepend(records.reverse());
      else list.append(records);
      this.released += list.trim(MOST, isNewestFirst() ? "bottom" : "top");
      this.toEdge(); // the browser has kept the lines where they were
    }
    this.draw();
  }

  /** Whether the list stands still. */
  isHeld() {
    if (this.isPaused || !this.container.offsetParent) return true; // hidden while the lines around a record are shown
    const { list } = this.options;
    if (!list.entries.length) return false;
    const selection = getSelection();
    if (selection && !selection.isCollapsed && list.element.contains(selection.anchorNode)) return true;
    return !this.isFollowing;
  }

  /** How far, in pixels, the end of the list where new records come is from its usual position on the screen; positive: the reader has scrolled away. */
  distance() {
    const { list, isNewestFirst } = this.options;
    const box = list.element.getBoundingClientRect();
    const view = scrollerOf(this.container).getBoundingClientRect();
    return isNewestFirst() ? Math.max(view.top, this.container.getBoundingClientRect().bottom) - box.top : box.bottom - view.bottom;
  }

  toEdge(again = true) {
    const scroller = scrollerOf(this.container);
    if (this.options.isNewestFirst()) scroller.scrollTop -= Math.max(0, this.distance());
    else scroller.scrollTop = scroller.scrollHeight;
    // Lines that come on screen get their real height.
    requestAnimationFrame(() => {
      if (!this.control.signal.aborted && !this.isHeld() && this.distance() > 0 && again) this.toEdge(false);
    });
  }

  /** @param {boolean} isPaused */
  setPaused(isPaused) {
    this.isPaused = isPaused;
    this.options.say(isPaused ? "The tail is paused." : "The tail goes on.");
    this.flush();
  }

  goOn() {
    this.isPaused = false;
    this.isFollowing = true;
    getSelection()?.removeAllRanges();
    this.flush();
  }

  /** @param {string} message "" if the records come again */
  setAway(message) {
    if (message !== this.isAway) this.options.say(message || "The tail goes on.");
    this.isAway = message;
    this.draw();
  }

  draw() {
    const { arrived, skipped, released, unknownFiles, waiting, isPaused, isAway } = this;
    const word = isAway ? "Away" : isPaused ? "Paused" : waiting.length && this.isReady ? "Standing still" : "Live";
    this.state.dataset.state = isAway ? "away" : word === "Live" ? "live" : "still";
    this.state.textContent = word;
    fill(this.pause, icon(isPaused ? "play" : "pause"), isPaused ? "Go on" : "Pause");
    fill(this.notes, [
      isAway,
      `${plural(arrived, "line")} since ${format(this.since.toISOString(), { date: false })}`,
      skipped && `${count(skipped)} not sent, because more came than a screen can show`,
      unknownFiles && `lines of ${plural(unknownFiles, "file")} may be missing since the break`,
      released && `${count(released)} not kept: the list has the newest ${count(MOST)}`,
    ].filter(Boolean).join(" · "));
    this.more.hidden = !waiting.length || !this.isReady;
    this.more.textContent = `${waiting.length >= MOST ? `${count(MOST)} or more` : count(waiting.length)} new ${waiting.length === 1 ? "line" : "lines"}`;
  }
}
