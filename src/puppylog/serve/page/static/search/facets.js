// The counts per value of some fields. A click on a value narrows the search, its minus excludes the value.
import * as api from "../lib/api.js";
import { dialog } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { makeFacet, mergeValues } from "./facet.js";
import { openFields } from "./fields.js";
import { readChosen } from "./query.js";
import { openPart } from "./tasks.js";

const VALUES = 8;
const DEFAULT_FIELDS = 8;
const FIRST = ["severity", "status_code", "source", "request_method", "request_route", "host"]; // also if they have many values
const RARELY = new Set(["file", "stream", "request_proto", "ident"]);
const NARROW = "(max-width: 719px)";

/**
 * @typedef {{name: string, kind: string, share: number, distinct: number, examples: string[], is_facet: boolean}} Field
 * @typedef {{field: string, kind: string, records: number, distinct: number, values: {value: any, count: number}[], is_sample: boolean, sample_records: number|null, sample_share: number|null, error: string|null}} Counts
 */

/**
 * @param {Element} container
 * @param {any} app
 * @param {import("./condition.js").Search} search
 * @param {{tasks: import("./tasks.js").Tasks, onError: (error: api.ApiError) => boolean}} view
 */
export function open(container, app, search, { tasks, onError }) {
  /** @type {Field[]} */
  let fields = [];
  /** @type {string[]} the fields that are counted now */
  let shown = [];
  /** @type {Set<string>} */
  const closed = new Set();
  /** @type {Map<string, number>} how many values of a field are shown, if the user asked for more */
  const more = new Map();
  const list = h("div", { class: "facets-list" });
  const note = h("div", { class: "facets-note" });
  const choose = h("button", { type: "button", class: "quiet-button", on: { click: chooseFields } }, icon("columns"), "Fields");
  const body = h("div", { class: "facets-body" }, h("div", { class: "facets-head" }, h("h2", null, "Counts"), choose), note, list);
  fill(container, body);

  const part = openPart({ tasks, name: "facets", thing: "the counts", content: list, note, onError, ask, show });

  /** @param {AbortSignal} signal */
  async function ask(signal) {
    const known = readFields(signal);
    if (!fields.length && !writtenNames().length) await known;
    const names = (shown = chosenNames());
    known.then(() => chosenNames().join("\0") !== names.join("\0") && part.load(), () => {}); // the counts tell of the same fault
    if (!names.length) return { fields: [] };
    const [answer, ...longer] = await Promise.all([
      api.get("top", { ...search.params(), field: names, limit: VALUES }, { signal }),
      ...[...more].filter(([name]) => names.includes(name)).map(([name, limit]) => api.get("top", { ...search.params(), field: name, limit }, { signal })),
    ]);
    const byName = new Map(longer.flatMap((one) => one.fields).map((/** @type {Counts} */ one) => [one.field, one]));
    return { ...answer, fields: answer.fields.map((/** @type {Counts} */ one) => byName.get(one.field) ?? one) };
  }

  /** @param {AbortSignal} signal */
  async function readFields(signal) {
    const answer = await api.get("fields", search.params(), { signal });
    if (answer.fields.length) fields = answer.fields;
  }

  /** @returns {string[]} the names in the address; "-" is none at all */
  const writtenNames = () => app.address.read().params.getAll("facet");

  /** The fields of the address, or those shown that the records still have, and others that are worth it. */
  function chosenNames() {
    const written = writtenNames();
    if (written.length) return written.filter((name) => name !== "-");
    const mentioned = (readChosen(search.condition().q ?? "") ?? []).map((test) => test.name);
    const kept = shown.filter((name) => mentioned.includes(name) || fields.some((field) => field.name === name));
    const first = FIRST.filter((name) => fields.some((field) => field.name === name));
    const others = fields.filter((field) => field.is_facet && field.distinct > 1 && !RARELY.has(field.name)).map((field) => field.name);
    return [...new Set([...kept, ...first, ...others])].slice(0, DEFAULT_FIELDS);
  }

  /** @param {{fields: Counts[]}} answer */
  function show(answer) {
    const chosen = readChosen(search.condition().q ?? "") ?? [];
    const focused = focusedFacet(list);
    fill(list, answer.fields.length ? answer.fields.map((counts) => makeOne(mergeValues(counts), chosen)) : fields.length > 0 && h("p", { class: "quiet" }, "No field is chosen."));
    giveFocusBack(list, focused);
  }

  /** @param {Counts} counts @param {import("./scan.js").Test[]} chosen */
  function makeOne(counts, chosen) {
    return makeFacet(counts, {
      chosen,
      search,
      isClosed: closed.has(counts.field),
      onToggle: (isOpen) => (isOpen ? closed.delete(counts.field) : closed.add(counts.field)),
      onMore() {
        more.set(counts.field, Math.min(1000, counts.values.length < 50 ? 50 : counts.values.length * 4));
        part.load();
      },
      onHide: () => setNames(chosenNames().filter((name) => name !== counts.field)),
    });
  }

  /** @param {string[]} names */
  function setNames(names) {
    app.address.go({ params: { facet: names.length ? names : ["-"] } }, { replace: true });
    part.load();
  }

  async function chooseFields() {
    if (!fields.length) await readFields(new AbortController().signal).catch(() => {}); // then the list is empty
    openFields(fields, chosenNames(), setNames);
  }

  const narrow = matchMedia(NARROW);
  /** @type {ReturnType<typeof dialog>|null} */
  let sheet = null;

  function openSheet() {
    sheet = dialog({
      title: "Counts per value", isSheet: true, class: "facets-sheet", body,
      onClose() {
        sheet = null;
        fill(container, body);
      },
    });
  }

  function goToCounts() {
    if (narrow.matches) openSheet();
    /** @type {HTMLElement|null} */ (list.querySelector("details[open] .facet-value[tabindex='0'], summary"))?.focus();
  }

  const unbind = app.keys.bind("f", "Go to the counts per value", goToCounts, { group: "Search" });
  const closeSheet = () => sheet?.close();
  narrow.addEventListener("change", closeSheet);
  let known = JSON.stringify(search.params());
  const stop = search.onChange(() => {
    const now = JSON.stringify(search.params());
    if (now !== known) more.clear();
    known = now;
    part.load();
  });
  return {
    load: part.load,
    openSheet,
    close() {
      stop();
      part.close();
      unbind();
      closeSheet();
      narrow.removeEventListener("change", closeSheet);
    },
  };
}

/** @param {HTMLElement} list @returns {string[]|null} the field and the value of the button with the focus */
function focusedFacet(list) {
  const active = document.activeElement;
  if (!active || !list.contains(active)) return null;
  return [active.closest("details")?.dataset.field ?? "", active.closest("li")?.dataset.key ?? ""];
}

/** @param {HTMLElement} list @param {string[]|null} focused */
function giveFocusBack(list, focused) {
  if (!focused) return;
  const facets = [.../** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("details"))];
  const facet = facets.find((one) => one.dataset.field === focused[0]);
  const rows = [.../** @type {NodeListOf<HTMLElement>} */ (facet?.querySelectorAll("li") ?? [])];
  const row = rows.find((one) => one.dataset.key === focused[1]);
  /** @type {HTMLElement|null} */ (row?.querySelector("button") ?? facet?.querySelector("summary") ?? null)?.focus();
}
