// The search box: a query, its completion, its history, and what is wrong with it.
import { fill, h, icon, iconButton, visible } from "../lib/dom.js";
import { openCompletion } from "./completion.js";
import { forget, remember } from "./history.js";
import { openSyntax } from "./syntax.js";

const AROUND = 60; // characters of a query that are shown before and behind a mistake

/**
 * @param {Element} container
 * @param {any} app
 * @param {import("./condition.js").Search} search
 */
export function open(container, app, search) {
  const { input, list, fault, clear, old, run, form } = makeElements();
  const completion = openCompletion(input, list, { search, onRun: submit, say: app.say });
  fill(container, form);

  /** @param {string} text */
  function submit(text) {
    const query = oneLine(text).trim();
    input.value = query;
    completion.close();
    remember(query);
    changed();
    search.setQuery(query);
  }

  function changed() {
    clear.hidden = !input.value;
    run.classList.toggle("primary", input.value.trim() !== (search.condition().q ?? ""));
  }

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit(input.value);
  });
  input.addEventListener("input", () => {
    changed();
    completion.ask();
  });
  input.addEventListener("focus", () => {
    if (input.value && !input.value.endsWith(" ")) input.value += " "; // what is typed at the end is another word
  });
  input.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => paste(input, event));
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (completion.onKey(event) || event.key !== "Escape") return;
    event.stopPropagation();
    completion.close();
    input.blur();
  });
  form.addEventListener("focusout", (/** @type {FocusEvent} */ event) => {
    if (form.contains(/** @type {Node|null} */ (event.relatedTarget))) return;
    completion.close();
    input.value = input.value.trim();
  });
  clear.addEventListener("click", () => {
    submit("");
    input.focus();
  });
  old.addEventListener("click", () => {
    input.focus();
    if (completion.isOpen()) completion.close();
    else completion.showHistory();
  });
  const unbind = app.keys.bind("/", "Go to the search box", () => {
    input.focus();
    input.select();
  });

  function update() {
    const query = search.condition().q ?? "";
    if (document.activeElement !== input || input.value.trim() === query) input.value = query;
    else if (query !== shown) input.value = query;
    shown = query;
    hideFault();
    changed();
  }

  function hideFault() {
    fault.hidden = true;
    fill(fault);
    input.removeAttribute("aria-invalid");
  }

  /** @param {import("../lib/api.js").ApiError} error */
  function showFault(error) {
    const query = search.condition().q ?? "";
    forget(query);
    input.setAttribute("aria-invalid", "true");
    fill(fault, describe(query, error));
    fault.hidden = false;
  }

  let shown = search.condition().q ?? "";
  input.value = shown;
  changed();
  return {
    update,
    showFault,
    close() {
      unbind();
      completion.close();
    },
  };
}

function makeElements() {
  const id = `query-${(made += 1)}`;
  const input = h("input", {
    id, class: "query-input", type: "text", role: "combobox", placeholder: "Search: timeout, status_code>=500, host:web1, /regular expression/",
    autocomplete: "off", autocapitalize: "off", spellcheck: "false", autocorrect: "off", enterkeyhint: "search",
    aria: { label: "Search the records", autocomplete: "list", expanded: "false", controls: `${id}-list`, describedby: `${id}-fault` },
  });
  const list = h("div", { id: `${id}-list`, class: "options", role: "listbox", hidden: true, aria: { label: "Completions" } });
  const fault = h("div", { id: `${id}-fault`, class: "query-fault", role: "alert", hidden: true });
  const clear = h("button", { type: "button", class: "icon-button", title: "Clear the query", aria: { label: "Clear the query" } }, icon("close"));
  const old = h("button", { type: "button", class: "icon-button", title: "Earlier queries (arrow up)", aria: { label: "Earlier queries" } }, icon("clock"));
  const run = h("button", { type: "submit", class: "query-run" }, "Search");
  const help = iconButton("help", "How to write a query", openSyntax);
  const field = h("div", { class: "query-field" }, icon("search"), input, clear, old, help);
  const form = h("form", { class: "search-form", role: "search" }, h("div", { class: "query-row" }, field, run), list, fault);
  return { input, list, fault, clear, old, run, form };
}

let made = 0;

/** @param {string} text */
function oneLine(text) {
  return text.replace(/\s*[\r\n\u0085\u2028\u2029]+\s*/g, " ");
}

/** @param {HTMLInputElement} input @param {ClipboardEvent} event */
function paste(input, event) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!/[\r\n\u0085\u2028\u2029]/.test(text)) return;
  event.preventDefault();
  input.setRangeText(oneLine(text.trim()), input.selectionStart ?? 0, input.selectionEnd ?? 0, "end");
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {string} query @param {import("../lib/api.js").ApiError} error */
function describe(query, error) {
  const at = error.column;
  const message = h("p", null, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}${error.advice ? `. ${error.advice.charAt(0).toUpperCase()}${error.advice.slice(1)}` : ""}.`.replace(/\.+$/, "."));
  if (at === null) return message;
  const wrong = String.fromCodePoint(query.codePointAt(at) ?? 32);
  const from = Math.max(0, at - AROUND);
  const to = at + wrong.length + AROUND;
  const before = `${from ? "…" : ""}${visible(query.slice(from, at))}`;
  const after = `${visible(query.slice(at + wrong.length, to))}${to < query.length ? "…" : ""}`;
  return [h("pre", { class: "fault-caret", dir: "ltr" }, before, h("span", null, visible(wrong)), after), message];
}
