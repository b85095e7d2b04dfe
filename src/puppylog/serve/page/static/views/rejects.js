/**
 * The rejected lines: why they do not fit, where, and what to do about it.
 */

import { fill, h, visible } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";
import { query } from "../lib/query.js";
import * as range from "../lib/range.js";
import { rejectedLine } from "../rejects/lines.js";
import { drawReasons } from "../rejects/reasons.js";
import { replayPanel } from "../rejects/replay.js";

export const title = "Rejected lines";

const NAMES = ["q", "reason", "source", "group"];
const FALLBACK = "all"; // a line that was rejected a month ago still waits for somebody to read it again
const LINES = 100;

/** @param {HTMLElement} container @param {any} app */
export function open(container, app) {
  const view = new Rejects(container, app);
  return { update: (address) => view.update(address), close: () => view.close() };
}

class Rejects {
  #app;
  #wish = /** @type {any} */ ({}); // parameters of requests, without those that are empty
  #cursor = null;
  #query;
  #range;
  #unbind;
  #stopBack;
  #parts;

  constructor(container, app) {
    this.#app = app;
    const ask = (change) => app.address.go({ params: change });
    const copy = (text) => this.#copy(text);
    const parts = makeParts(ask, () => this.#loadMore());
    const replay = replayPanel(app, { copy, onStored: () => this.#load() });
    this.#parts = { ...parts, replay, ask, copy };
    this.#range = range.control({ fallback: FALLBACK, onRefresh: () => this.#load() });
    this.#query = query(parts.columns);
    this.#unbind = app.keys.bind("/", "Search in rejected lines", () => parts.box.select(), { group: "Rejected lines" });
    this.#stopBack = app.api.onBack(() => this.#load());
    parts.side.append(replay.node);
    const head = h("div", { class: "toolbar" }, h("h1", null, title), parts.form, this.#range.element);
    fill(container, h("div", { class: "tables-view" }, head, parts.chips, this.#query.element, parts.totals, parts.columns));
  }

  update({ params }) {
    const chosen = NAMES.map((name) => [name, params.get(name) ?? ""]);
    const all = [...chosen, ...Object.entries(range.query(FALLBACK, params))];
    this.#wish = Object.fromEntries(all.filter(([, value]) => value));
    const { box, replay, drawChips } = this.#parts;
    box.value = this.#wish.q ?? "";
    drawChips(this.#wish);
    replay.setWish(this.#wish);
    this.#range.update();
    this.#load();
  }

  close() {
    this.#unbind();
    this.#stopBack();
    this.#range.close();
    this.#query.close();
  }

  async #load() {
    const { reason: chosen, ...others } = this.#wish; // the reasons are counted without it, so that another can be chosen
    const { api } = this.#app;
    const { ask, list, reasons, more, box } = this.#parts;
    const answers = await this.#query.run((signal) => Promise.all([
      api.get("rejects/reasons", others, { signal }),
      api.get("rejects", { ...this.#wish, limit: LINES }, { signal }),
    ]).catch((error) => {
      markQuery(box, error);
      throw error;
    }));
    if (!answers) return;
    box.removeAttribute("aria-invalid");
    const [counted, found] = answers;
    drawReasons(reasons, counted, chosen ?? "", ask);
    this.#drawTotals(counted, found);
    fill(list, found.lines.map((line) => this.#makeLine(line)));
    this.#cursor = found.cursor;
    more.hidden = !found.has_more;
  }

  async #loadMore() {
    const { list, more } = this.#parts;
    more.disabled = true;
    const asked = { ...this.#wish, limit: LINES, cursor: this.#cursor };
    const found = await this.#query.run((signal) => this.#app.api.get("rejects", asked, { signal }));
    more.disabled = false;
    if (!found) return;
    const lines = found.lines.map((line) => this.#makeLine(line));
    list.append(...lines);
    lines[0]?.querySelector("button")?.focus({ preventScroll: true });
    this.#cursor = found.cursor;
    more.hidden = !found.has_more;
  }

  #makeLine(line) {
    const { ask, copy } = this.#parts;
    return rejectedLine(line, { ask, copy, hasReason: Boolean(this.#wish.reason) });
  }

  #drawTotals({ reasons, lines }, found) {
    const { totals, empty } = this.#parts;
    const chosen = reasons.find((one) => one.reason === this.#wish.reason);
    const sentence = chosen
      ? `${count(chosen.lines)} of ${plural(lines, "rejected line")}, the newest first`
      : `${plural(lines, "rejected line")} for ${plural(reasons.length, "reason")}, the newest first`;
    fill(totals, lines ? sentence : "");
    this.#app.say(lines ? sentence : "No rejected line");
    empty.hidden = found.lines.length > 0;
    const isNarrowed = [...NAMES, "since", "until"].some((name) => this.#wish[name]);
    fill(empty, isNarrowed ? "No rejected line matches." : "No line was rejected: every line fits the format of its source.");
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.#app.toast("Copied.");
    } catch {
      this.#app.toast("Cannot copy: the browser allows it on https and on this machine only.", { isError: true });
    }
  }
}

/** Mark the mistake in the query. @param {HTMLInputElement} box @param {any} error */
function markQuery(box, error) {
  if (error.container !== "q") return;
  box.setAttribute("aria-invalid", "true");
  if (error.column === null) return;
  box.focus();
  box.setSelectionRange(error.column, Math.max(error.column + 1, box.value.indexOf(" ", error.column)));
}

/** @param {(change: any) => void} ask @param {() => void} loadMore */
function makeParts(ask, loadMore) {
  const box = h("input", {
    type: "search",
    name: "q",
    spellcheck: "false",
    autocomplete: "off",
    aria: { label: "Search in rejected lines" },
    placeholder: "Words, or line:…  reason:…  file:…  rejected_at>now-2h",
  });
  const submit = (event) => {
    event.preventDefault();
    ask({ q: box.value.trim() || null });
  };
  const form = h("form", { class: "rejects-form", role: "search", on: { submit } }, box, h("button", { type: "submit" }, "Search"));
  const chips = h("div", { class: "row" });
  const totals = h("p", { class: "totals" });
  const reasons = h("div");
  const list = h("ol", { class: "rejected-lines" });
  const more = h("button", { type: "button", hidden: true, on: { click: loadMore } }, "Show older lines");
  const empty = h("p", { class: "empty-note", hidden: true });
  const side = h("section", { class: "rejects-side", aria: { label: "Reasons" } }, h("h2", null, "Reasons"), reasons);
  const main = h("section", { class: "rejects-main", aria: { label: "Lines" } }, list, empty, more);
  const columns = h("div", { class: "rejects-columns" }, side, main);

  /** @param {Record<string, string>} wish */
  function drawChips(wish) {
    const chip = (name) => wish[name] && h(
      "button",
      { type: "button", aria: { label: `Remove the filter ${name} ${wish[name]}` }, on: { click: () => ask({ [name]: null }) } },
      h("span", { class: "quiet" }, name),
      h("bdi", { class: "chip-text" }, visible(wish[name])),
      "✕",
    );
    const shown = ["reason", "source", "group"].map(chip);
    chips.hidden = shown.every((one) => !one);
    fill(chips, shown);
  }

  return { form, side, columns, box, list, more, reasons, chips, totals, empty, drawChips };
}
