/** The view Patterns: the shapes of messages, which of them are new, and the way to their records. */
import * as api from "../lib/api.js";
import { fill, h, iconButton, logText, visible } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";
import { table } from "../lib/table.js";
import * as box from "../search/box.js";
import { openChips } from "../search/chips.js";
import { makeChoice } from "../search/choice.js";
import { createSearch } from "../search/condition.js";
import { addTerm, shapeTerm } from "../search/query.js";
import { openPart, openTasks } from "../search/tasks.js";

export const title = "Patterns";

const MAX_SHOWN = 500;
const FIRST_ROWS = 50;
const MAX_ROWS = 1000;
const NEW = [["", "All patterns"], ["15m", "New in the last 15 minutes"], ["1h", "New in the last hour"], ["24h", "New in the last 24 hours"], ["7d", "New in the last 7 days"]];
const FIELDS = ["message", "request_route", "user_agent", "referer"];

/** @typedef {{shape: string, count: number, first_at: string, last_at: string, example: string}} Pattern */

/** @param {HTMLElement} container @param {import("../app.js").App} app */
export function open(container, app) {
  const search = createSearch(app);
  let limit = FIRST_ROWS;
  const parts = { box: h("div", { class: "search-box" }), progress: h("div", { class: "search-progress" }), chips: h("ul", { class: "chips", aria: { label: "Conditions of the query" }, hidden: true }) };
  const range = app.range.control({ onRefresh: search.refresh });
  const fresh = makeChoice(app, "new", "Which patterns", NEW);
  const field = makeChoice(app, "field", "Of the field", FIELDS.map((name) => [name === "message" ? "" : name, name]));
  const summary = h("p", { class: "quiet", role: "status" });
  const note = h("div");
  const list = h("div", { class: "patterns" });
  const more = h("button", { type: "button", hidden: true, on: { click: showMore } }, "More patterns");
  fill(
    container,
    h("div", { class: "search-bar" }, parts.box, h("div", { class: "search-tools" }, range.element)),
    parts.progress, parts.chips,
    h("div", { class: "patterns-body" }, h("div", { class: "toolbar" }, h("h1", null, title), field, fresh), summary, note, list, more),
  );
  container.classList.add("search-view");

  const tasks = openTasks(parts.progress, app);
  const query = box.open(parts.box, app, search);
  const chips = openChips(parts.chips, search);
  const part = openPart({
    tasks, name: "patterns", thing: "the patterns", content: list, note, ask, show,
    onError(error) {
      if (error.status !== 400 || error.container !== "q") return false;
      query.showFault(error);
      return true;
    },
  });

  /** @param {AbortSignal} signal @param {number | null} budget_s */
  function ask(signal, budget_s) {
    return api.get("patterns", { ...search.params(), limit, field: nameOfField(), new_since: app.address.read().params.get("new"), budget_s }, { signal });
  }

  const nameOfField = () => app.address.read().params.get("field") || "message";

  function showMore() {
    limit = Math.min(MAX_ROWS, limit * 4);
    part.load();
  }

  /** @param {{patterns: Pattern[], records: number, distinct: number, new: number, missing: number, counted_since: string | null}} answer */
  function show(answer) {
    const isNew = Boolean(app.address.read().params.get("new"));
    const number = isNew ? answer.new : answer.distinct;
    const shown = table({
      label: "Patterns", rows: answer.patterns, columns: makeColumns(answer.records), key: (row) => row.shape,
      empty: isNew ? "No pattern is new." : "No record here has a message.", sort: { name: "count", isDescending: true },
    });
    fill(list, shown.element);
    const part = answer.counted_since ? ` · since ${app.times.format(answer.counted_since, { seconds: false })}, and earlier ones are being counted` : "";
    summary.textContent = describe(answer, isNew) + part;
    more.hidden = answer.patterns.length >= number || limit >= MAX_ROWS;
  }

  /** @param {{patterns: Pattern[], records: number, distinct: number, new: number, missing: number}} answer @param {boolean} isNew */
  function describe(answer, isNew) {
    const all = `${plural(answer.distinct, "pattern")} in ${plural(answer.records, "record")}`;
    const missing = answer.missing ? ` · ${plural(answer.missing, "record")} without ${nameOfField()}` : "";
    const number = isNew ? answer.new : answer.distinct;
    const left = answer.patterns.length < number ? ` · ${count(answer.patterns.length)} are shown` : "";
    return `${isNew ? `${count(answer.new)} new of ` : ""}${all}${left}${missing}`;
  }

  /** @param {number} records @returns {import("../lib/table.js").Column<Pattern>[]} */
  function makeColumns(records) {
    const time = (/** @type {string} */ at) => app.times.timeElement(at, { isRelative: true });
    return [
      { name: "count", label: "Records", align: "right", cell: (row) => count(row.count), sort: (row) => row.count },
      { name: "share", label: "Share", class: "pattern-share", cell: (row) => makeShare(row.count / Math.max(1, records)) },
      { name: "shape", label: "Pattern, and its last text", class: "pattern-shape", cell: makeShape, sort: (row) => row.shape },
      { name: "first", label: "First", class: "pattern-first", cell: (row) => time(row.first_at), sort: (row) => row.first_at },
      { name: "last", label: "Last", class: "pattern-last", cell: (row) => time(row.last_at), sort: (row) => row.last_at },
      { name: "hide", label: h("span", { class: "visually-hidden" }, "Exclude"), cell: (row) => iconButton("minus", "Exclude these records", () => search.excludeTerm(termOf(row))) },
    ];
  }

  /** @param {Pattern} row */
  const termOf = (row) => shapeTerm(nameOfField(), row.shape, row.example);

  /** @param {Pattern} row */
  function makeShape(row) {
    const params = app.address.read().params;
    const q = addTerm(search.condition().q ?? "", termOf(row)) ?? termOf(row);
    const href = app.address.href({ view: "search", params: { q, since: params.get("since"), until: params.get("until"), group: params.get("group") } });
    const pieces = row.shape.slice(0, MAX_SHOWN).split("*").flatMap((piece, at) => [at ? h("span", { class: "star" }, "*") : null, visible(piece)]);
    const link = h("a", { class: "log", dir: "auto", href, title: "Show these records" }, pieces.length && row.shape ? pieces : "(empty)");
    return [link, row.example === row.shape ? null : h("div", { class: "pattern-example quiet" }, logText(row.example.slice(0, MAX_SHOWN)))];
  }

  const stopListening = search.onChange(() => part.load());
  const key = () => JSON.stringify([search.params(), nameOfField(), app.address.read().params.get("new")]);
  let known = "";
  return {
    update() {
      range.update();
      for (const choice of [fresh, field]) choice.update();
      if (key() === known) return;
      known = key();
      query.update();
      chips.show();
      limit = FIRST_ROWS;
      search.refresh();
    },
    close() {
      range.close();
      query.close();
      part.close();
      stopListening();
      tasks.close();
    },
  };
}

/** @param {number} share */
function makeShare(share) {
  const text = share >= 0.9995 ? "100 %" : share < 0.001 ? "<0.1 %" : `${(share * 100).toFixed(1)} %`;
  return h("span", { class: "share" }, h("span", { class: "share-bar", style: { width: `${Math.max(1, share * 100)}%` } }), h("span", { class: "share-text" }, text));
}
