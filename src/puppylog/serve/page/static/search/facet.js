// One field with its values and how many records have each.
import { h, icon, logText, visible } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";
import { barColor } from "../lib/severity.js";
import { isWhole, severityName, stateOf } from "./query.js";
import { shortenSources } from "./source_names.js";

const MAX_SHOWN = 200; // characters of a value; CSS cuts it to its line
const MAX_TITLE = 2000;

/** @typedef {import("./facets.js").Counts} Counts */

/** Puts spellings of one severity together, because one query finds them all. @param {Counts} counts @returns {Counts} */
export function mergeValues(counts) {
  if (counts.field !== "severity") return counts;
  /** @type {Map<any, number>} */
  const merged = new Map();
  for (const { value, count: records } of counts.values) {
    const name = value === null ? null : (severityName(value) ?? value);
    merged.set(name, (merged.get(name) ?? 0) + records);
  }
  const values = [...merged].map(([value, records]) => ({ value, count: records })).sort((a, b) => b.count - a.count);
  return { ...counts, values, distinct: counts.distinct - counts.values.length + values.length };
}

/**
 * @param {Counts} counts
 * @param {{chosen: import("./scan.js").Test[], search: import("./condition.js").Search, isClosed: boolean, onToggle: (isOpen: boolean) => void, onMore: () => void, onHide: () => void}} options
 */
export function makeFacet(counts, options) {
  const hide = h("button", { type: "button", class: "icon-button facet-hide", title: `Hide ${counts.field}`, aria: { label: `Hide the counts of ${counts.field}` }, on: { click: options.onHide } }, icon("close"));
  const number = counts.error ? null : h("span", { class: "facet-distinct", title: `${plural(counts.distinct, "different value")}` }, count(counts.distinct));
  const summary = h("summary", null, icon("right"), h("h3", { class: "facet-name", dir: "auto" }, visible(counts.field)), number);
  const details = h("details", { class: "facet", open: !options.isClosed, data: { field: counts.field } }, summary, makeBody(counts, options));
  details.addEventListener("toggle", () => options.onToggle(details.open));
  return h("div", { class: "facet-place" }, details, hide);
}

/** @param {Counts} counts @param {Parameters<typeof makeFacet>[1]} options */
function makeBody(counts, options) {
  if (counts.error) return h("p", { class: "facet-note" }, counts.error);
  const values = [...counts.values.filter((one) => one.value !== null), ...counts.values.filter((one) => one.value === null)];
  const most = Math.max(1, ...values.map((one) => (one.value === null ? 0 : one.count)));
  const names = ["source", "file"].includes(counts.field) ? shortenSources(values.map((one) => String(one.value))) : new Map();
  const rows = values.map((one) => makeRow(counts, one, { most, short: names.get(String(one.value)) ?? null }, options));
  const list = h("ul", { class: "facet-values", aria: { label: `Values of ${counts.field}` }, on: { keydown: onKey } }, rows);
  const rest = counts.distinct - counts.values.length;
  const larger = rest > 0 && counts.values.length < 1000 && h("button", { type: "button", class: "link", on: { click: options.onMore } }, "More values");
  const left = rest > 0 ? h("p", { class: "facet-note" }, `${count(counts.values.length)} of ${plural(counts.distinct, "value")}. `, larger) : null;
  const sample = counts.is_sample ? h("p", { class: "facet-note" }, `Shares of a sample: ${plural(counts.sample_records ?? 0, "record")}${counts.sample_share ? `, from ${percent(counts.sample_share)} of the time` : ""}.`) : null;
  const search = counts.values.length > 20 ? makeSearch(counts.field, list) : null;
  for (const [index, button] of [...list.querySelectorAll(".facet-value")].entries()) button.tabIndex = index ? -1 : 0;
  return [search, rows.length ? list : h("p", { class: "facet-note" }, "No record has this field."), left, sample];
}

/** @param {Counts} counts @param {{value: any, count: number}} one @param {{most: number, short: string|null}} look @param {Parameters<typeof makeFacet>[1]} options */
function makeRow(counts, { value, count: records }, { most, short }, { chosen, search }) {
  const name = counts.field;
  const state = stateOf(chosen, name, value);
  const text = value === null ? "" : String(value);
  const label = value === null ? h("i", null, "(none)") : text === "" ? h("i", null, "(empty)") : logText((short ?? text).slice(0, MAX_SHOWN));
  const spoken = value === null ? "no value" : visible((short ?? text).slice(0, MAX_SHOWN)) || "empty";
  const swatch = ["severity", "status_code"].includes(name) && value !== null && h("span", { class: "key-dot", style: { background: barColor(text) } });
  const number = counts.is_sample ? percent(records / Math.max(1, counts.sample_records ?? 0)) : count(records);
  const chooseIt = () => (state === "chosen" ? search.removeValue(name, value) : search.addValue(name, value));
  const title = `${visible(text.slice(0, MAX_TITLE))}${isWhole(value) ? "" : "\nToo long for a query: its start is searched"}`;
  const main = h(
    "button",
    { type: "button", class: "facet-value", title, aria: { pressed: String(state === "chosen"), label: `${spoken}: ${counts.is_sample ? number : plural(records, "record")}` }, on: { click: chooseIt } },
    h("span", { class: "facet-bar", style: { width: `${Math.min(100, (records / most) * 100)}%` } }), swatch, h("span", { class: "facet-text" }, label),
    h("span", { class: "facet-count" }, number),
  );
  const minus = h("button", { type: "button", class: "icon-button facet-minus", tabindex: -1, title: "Exclude", aria: { label: `Exclude ${spoken}` }, on: { click: () => search.excludeValue(name, value) } }, icon("minus"));
  return h("li", { class: state ? `is-${state}` : null, data: { key: text.slice(0, MAX_SHOWN), none: value === null ? "" : null } }, main, minus);
}

/** @param {number} share @returns {string} */
function percent(share) {
  return share >= 0.9995 ? "100 %" : share < 0.001 ? "<0.1 %" : `${(share * 100).toFixed(1)} %`;
}

/** Finds among the values that are shown. @param {string} name @param {HTMLElement} list */
function makeSearch(name, list) {
  const input = h("input", { type: "search", class: "facet-search", placeholder: "Find a value", aria: { label: `Find a value of ${name}` } });
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("li"))) row.hidden = !(row.dataset.key ?? "").toLowerCase().includes(wanted);
  });
  return input;
}

/** Arrows move among the values, minus excludes the one with the focus. @param {KeyboardEvent} event */
function onKey(event) {
  const list = /** @type {HTMLElement} */ (event.currentTarget);
  const rows = [...list.querySelectorAll("li:not([hidden])")];
  const row = /** @type {Element} */ (event.target).closest("li");
  const at = row ? rows.indexOf(row) : -1;
  /** @type {Record<string, number>} */
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in moves) focusRow(list, rows[moves[event.key]]);
  else if (event.key === "ArrowRight") /** @type {HTMLElement|null|undefined} */ (row?.querySelector(".facet-minus"))?.focus();
  else if (event.key === "ArrowLeft") /** @type {HTMLElement|null|undefined} */ (row?.querySelector(".facet-value"))?.focus();
  else if (event.key === "-" || event.key === "Delete") /** @type {HTMLElement|null|undefined} */ (row?.querySelector(".facet-minus"))?.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {HTMLElement} list @param {Element|undefined} row */
function focusRow(list, row) {
  const button = /** @type {HTMLElement|null|undefined} */ (row?.querySelector(".facet-value"));
  if (!button) return;
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll(".facet-value"))) one.tabIndex = one === button ? 0 : -1;
  button.focus();
}
