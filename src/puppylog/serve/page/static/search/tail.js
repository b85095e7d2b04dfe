// New records as they are stored. The list stands still while the reader has scrolled away from its newest line, or has
// selected text in it: a button then tells how many lines wait.

import { listen } from "../lib/events.js";
import { fill, h, icon } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";
import { format } from "../lib/times.js";
import { scrollerOf } from "./scrolling.js";

const MOST = 2000; // records that the list keeps, and as many wait
const DRAW_EVERY_MS = 150;
const EDGE = 8; // pixels from the end of the list that count as its end

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
  /** @param {HTMLElement} place @param {Options} options */
  constructor(place, options) {
    this.place = place;
    this.options = options;
    this.control = new AbortController();
    /** @type {any[]} */
    this.waiting = [];
    this.isPaused = false;
    this.isReady = false; // whether the records before the tail are in the list
    this.isAway = "";
    Object.assign(this, { arrived: 0, skipped: 0, released: 0, timer: 0 });
    this.state = h("span", { class: "tail-state" });
    this.notes = h("span", { class: "tail-notes quiet" });
    this.pause = h("button", { type: "button", class: "quiet-button", on: { click: () => this.setPaused(!this.isPaused) } });
    this.more = h("button", { type: "button", class: "primary tail-more", hidden: true, on: { click: () => this.goOn() } });
    fill(place, h("div", { class: "tail-bar" }, this.state, this.pause, h("button", { type: "button", class: "quiet-button", on: { click: options.onStop } }, icon("stop"), "Stop"), this.notes), this.more);
    this.place.hidden = false;
    this.since = new Date();
    this.draw();
    this.start();
  }

  start() {
    const { condition, onOpen, onError } = this.options;
    const { q, group } = condition();
    let isFirst = true;
    this.events = listen("records/tail", { q, group }, {
      on: {
        records: (data) => this.onRecords(data),
        away: (data) => this.setAway(data?.message || "The store does not answer."),
        back: () => this.setAway(""),
      },
      onOpen: async () => {
        this.setAway("");
        if (!isFirst) return;
        isFirst = false;
        await onOpen();
        this.isReady = true;
        this.flush();
      },
      onBreak: () => this.setAway("The server does not answer. The tail goes on where it ended."),
      onError,
    });
    const options = { signal: this.control.signal, passive: true };
    scrollerOf(this.place).addEventListener("scroll", () => this.waiting.length && this.flush(), options);
    document.addEventListener("selectionchange", () => this.waiting.length && this.flush(), options);
  }

  close() {
    this.events?.close();
    this.control.abort();
    clearTimeout(this.timer);
    this.place.hidden = true;
    fill(this.place);
  }

  /** @param {{records: any[], skipped?: number}} data */
  onRecords({ records, skipped = 0 }) {
    this.arrived += records.length;
    this.skipped += skipped;
    this.waiting = this.waiting.concat(records);
    const tooMany = this.waiting.length - MOST;
    if (tooMany > 0) {
      this.waiting.splice(0, tooMany);
      this.released += tooMany;
    }
    this.timer ||= setTimeout(() => this.flush(), DRAW_EVERY_MS);
    this.options.onRecords();
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
      if (!isNewestFirst()) this.toEdge();
    }
    this.draw();
  }

  /** Whether the list stands still. */
  isHeld() {
    if (this.isPaused) return true;
    const { list } = this.options;
    if (!list.entries.length) return false;
    const selection = getSelection();
    if (selection && !selection.isCollapsed && list.element.contains(selection.anchorNode)) return true;
    return !this.isAtEdge();
  }

  isAtEdge() {
    const { list, isNewestFirst } = this.options;
    const box = list.element.getBoundingClientRect();
    const view = scrollerOf(this.place).getBoundingClientRect();
    const top = Math.max(view.top, this.place.getBoundingClientRect().bottom);
    return isNewestFirst() ? box.top >= top - EDGE : box.bottom <= view.bottom + EDGE * 8;
  }

  toEdge() {
    const { list, isNewestFirst } = this.options;
    if (isNewestFirst()) list.element.scrollIntoView({ block: "start" });
    else scrollerOf(this.place).scrollTop = scrollerOf(this.place).scrollHeight;
  }

  /** @param {boolean} isPaused */
  setPaused(isPaused) {
    this.isPaused = isPaused;
    this.options.say(isPaused ? "The tail is paused." : "The tail goes on.");
    this.flush();
  }

  goOn() {
    this.isPaused = false;
    getSelection()?.removeAllRanges();
    this.toEdge();
    this.flush();
    // The list may have moved less than its edge needs, because it has grown.
    if (this.waiting.length) requestAnimationFrame(() => { this.toEdge(); this.flush(); });
  }

  /** @param {string} message "" if the records come again */
  setAway(message) {
    if (message !== this.isAway) this.options.say(message || "The tail goes on.");
    this.isAway = message;
    this.draw();
  }

  draw() {
    const { arrived, skipped, released, waiting, isPaused, isAway } = this;
    const word = isAway ? "Away" : isPaused ? "Paused" : waiting.length && this.isReady ? "Standing still" : "Live";
    this.state.dataset.state = isAway ? "away" : word === "Live" ? "live" : "still";
    this.state.textContent = word;
    fill(this.pause, icon(isPaused ? "play" : "pause"), isPaused ? "Go on" : "Pause");
    fill(this.notes, [
      isAway,
      `${plural(arrived, "line")} since ${format(this.since.toISOString(), { date: false })}`,
      skipped && `${count(skipped)} not sent, because more came than a screen can show`,
      released && `${count(released)} not kept: the list has the newest ${count(MOST)}`,
    ].filter(Boolean).join(" · "));
    this.more.hidden = !waiting.length || !this.isReady;
    this.more.textContent = `${waiting.length >= MOST ? `${count(MOST)} or more` : count(waiting.length)} new ${waiting.length === 1 ? "line" : "lines"}`;
  }
}
