// The list below the search box: completions while the user types, or earlier queries. The focus stays in the box.
import * as api from "../lib/api.js";
import { fill, h, visible } from "../lib/dom.js";
import { forget, forgetAll, readHistory } from "./history.js";

const WAIT_MS = 90;
const MAX_SHOWN = 120; // characters of an entry

/** @typedef {{label: string, kind: string, detail: string, choose: () => void, remove?: () => void}} Entry */

/**
 * Opens the list of a box. `onChoose` gets the text of the box, and where its caret is, after an entry is chosen.
 * @param {HTMLInputElement} input
 * @param {HTMLElement} list an empty element with role listbox
 * @param {{search: import("./condition.js").Search, onRun: (query: string) => void, say: (text: string) => void}} options
 */
export function openCompletion(input, list, { search, onRun, say }) {
  /** @type {Entry[]} */
  let entries = [];
  let active = -1;
  let timer = 0;
  let control = new AbortController();

  function ask() {
    clearTimeout(timer);
    timer = setTimeout(load, WAIT_MS);
  }

  async function load() {
    control.abort();
    control = new AbortController();
    const { value: text, selectionStart: at } = input;
    const answer = await api.get("complete", { q: text, at }, { signal: control.signal }).catch(() => null);
    if (!answer || input.value !== text || document.activeElement !== input) return;
    show(answer.items.map((/** @type {any} */ item) => makeCompletion(item, answer)), "Completions");
  }

  /** @param {{insert: string, label: string, kind: string, detail?: string}} item @param {{start: number, end: number}} span */
  function makeCompletion(item, span) {
    return {
      label: item.label,
      kind: item.kind,
      detail: item.detail ?? "",
      choose() {
        input.setRangeText(item.insert, span.start, span.end, "end");
        input.dispatchEvent(new Event("input", { bubbles: true }));
        if (item.kind === "value") close(); // a whole test stands there: Enter searches
      },
    };
  }

  function showHistory() {
    clearTimeout(timer);
    control.abort();
    const typed = input.value.trim();
    const queries = readHistory().filter((query) => query !== typed);
    const old = queries.map((query) => ({
      label: query,
      kind: "query",
      detail: "",
      choose: () => onRun(query),
      remove() {
        forget(query);
        showHistory();
      },
    }));
    const clear = { label: "Forget these queries", kind: "forget", detail: "", choose: forgetThem };
    show(old.length ? [...old, clear] : [], "Earlier queries");
    if (!old.length) say("There are no earlier queries.");
    else move(0);
  }

  function forgetThem() {
    forgetAll();
    say("The earlier queries are forgotten.");
  }

  /** @param {Entry[]} next @param {string} label */
  function show(next, label) {
    entries = next;
    active = -1;
    list.setAttribute("aria-label", label);
    fill(list, entries.map(makeOption));
    list.hidden = entries.length === 0;
    input.setAttribute("aria-expanded", String(entries.length > 0));
    input.removeAttribute("aria-activedescendant");
  }

  /** @param {Entry} entry @param {number} index */
  function makeOption(entry, index) {
    const label = entry.label.length > MAX_SHOWN ? `${entry.label.slice(0, MAX_SHOWN)}…` : entry.label;
    const choose = (/** @type {Event} */ event) => {
      event.preventDefault(); // the focus stays in the box
      accept(index);
    };
    return h(
      "div",
      { class: "option", role: "option", id: `${list.id}-${index}`, aria: { selected: "false" }, data: { kind: entry.kind }, on: { mousedown: (/** @type {Event} */ event) => event.preventDefault(), click: choose } },
      h("span", { class: "option-label", dir: "auto" }, visible(label)),
      h("span", { class: "option-detail" }, entry.detail || (entry.kind === "query" || entry.kind === "forget" ? "" : entry.kind)),
    );
  }

  /** @param {number} to */
  function move(to) {
    if (!entries.length) return;
    list.children[active]?.setAttribute("aria-selected", "false");
    active = (to + entries.length) % entries.length;
    const option = list.children[active];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function close() {
    clearTimeout(timer);
    control.abort();
    show([], "Completions");
  }

  /** @param {number} index */
  function accept(index) {
    const entry = entries[index];
    close();
    entry.choose();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the list used the key */
  function onKey(event) {
    const isOpen = entries.length > 0;
    if (event.isComposing || event.ctrlKey || event.metaKey) return false;
    if (event.key === "ArrowDown" && !isOpen) input.value ? load() : showHistory();
    else if (event.key === "ArrowUp" && !isOpen) showHistory();
    else if (!isOpen) return false;
    else if (event.key === "ArrowDown") move(active + 1);
    else if (event.key === "ArrowUp") move(active < 0 ? -1 : active - 1);
    else if (event.key === "Tab" && !event.shiftKey && (active >= 0 || list.getAttribute("aria-label") === "Completions")) accept(Math.max(active, 0));
    else if (event.key === "Enter" && active >= 0) accept(active);
    else if (event.key === "Escape") close();
    else if (event.key === "Delete" && active >= 0 && entries[active].remove) entries[active].remove?.();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  return { ask, close, onKey, showHistory, isOpen: () => entries.length > 0 };
}
