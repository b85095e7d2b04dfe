// The transitions of an alert, each with the sample records that were kept as its evidence.
import * as address from "../lib/address.js";
import { fill, h, logText } from "../lib/dom.js";
import { keyed } from "../lib/keyed.js";
import { severityTag } from "../lib/severity.js";
import * as times from "../lib/times.js";
import { formatValue } from "../metrics/units.js";
import { COMPARED, conditionTag, stateWord } from "./condition.js";

/**
 * @typedef {object} Transition
 * @property {number} id
 * @property {string | null} segment
 * @property {string | null} [segment_name]
 * @property {string} at
 * @property {string} from_state
 * @property {string} to_state
 * @property {number | null} value
 * @property {string} comparison
 * @property {number} threshold
 * @property {any[]} evidence records
 * @property {string | null} [evidence_omitted] why there are no more samples
 */

const AROUND_MS = 5 * 60_000;

/** The list of transitions, the newest first. */
export function historyList() {
  const list = h("ol", { class: "alert-history" });
  const note = h("p", { class: "quiet" });
  /** @type {import("../metrics/units.js").Unit} */
  let unit = "";
  let opened = -1; // the id of the newest transition with evidence
  const show = keyed(list, (/** @type {Transition} */ transition) => String(transition.id), (transition) => ({
    node: makeTransition(transition, unit, transition.id === opened),
    update() {}, // what has happened does not change
  }));
  return {
    node: h("div", null, list, note),
    /** @param {Transition[]} transitions @param {boolean} hasMore @param {import("../metrics/units.js").Unit} unitNow */
    update(transitions, hasMore, unitNow) {
      unit = unitNow;
      opened = Math.max(-1, ...transitions.filter((one) => one.evidence.length).map((one) => one.id));
      show([...transitions].sort((a, b) => b.id - a.id));
      fill(note, transitions.length ? (hasMore ? "There are more transitions before these; choose an earlier range." : "") : "It has not changed its state in this time.");
    },
  };
}

/** @param {Transition} transition @param {import("../metrics/units.js").Unit} unit @param {boolean} isOpen whether its evidence is shown at first */
function makeTransition(transition, unit, isOpen) {
  const { at, segment, to_state: to, from_state: from, value, comparison, threshold, evidence } = transition;
  const name = transition.segment_name ?? segment;
  const limit = `${COMPARED[comparison] ?? comparison} ${formatValue(threshold, unit)}`;
  const observed = value === null ? "no observation" : formatValue(value, unit);
  const isCrossed = to === "firing" || to === "pending";
  return h(
    "li",
    { data: { state: to } },
    h(
      "div",
      { class: "alert-turn" },
      times.timeElement(at),
      conditionTag(/** @type {any} */ (to)),
      h("span", { class: "quiet" }, `was ${stateWord(from)}`),
      name !== null && logText(name),
      h("span", null, isCrossed ? `${observed}, ${limit}` : observed),
    ),
    evidence.length > 0 && makeEvidence(evidence, at, isOpen),
    transition.evidence_omitted && h("p", { class: "quiet" }, transition.evidence_omitted),
  );
}

/** @param {any[]} records @param {string} at @param {boolean} isOpen */
function makeEvidence(records, at, isOpen) {
  const summary = `Evidence: ${records.length} ${records.length === 1 ? "line" : "lines"} of the time before it`;
  const items = records.map((record) => h("li", null, h("a", { href: linkAround(record, at) }, times.timeElement(record.ts, { date: false }), " ", severityTag(record.severity), " ", logText(lineOf(record)))));
  return h("details", { class: "alert-evidence", open: isOpen }, h("summary", null, summary), h("ul", null, items));
}

/** The search around a record: its time, with the record open. @param {any} record @param {string} at of the transition */
function linkAround(record, at) {
  const ms = times.toMs(record.ts ?? at);
  const [since, until] = [ms - AROUND_MS, ms + AROUND_MS].map((edge) => new Date(edge).toISOString());
  const place = record.file_id === undefined || record.file_id === null ? null : `${record.file_id}:${record.line_offset}`;
  return address.href({ view: "search", params: { since, until, at: place } });
}

/** One line of text for a record: its request or its message. @param {any} record */
export function lineOf(record) {
  const request = [record.status_code, record.request_method, record.request_route].filter((part) => part !== null && part !== undefined && part !== "");
  const text = record.message ?? (request.length ? "" : JSON.stringify(record.attributes ?? {}));
  return [...request, text].filter((part) => part !== "").join(" ");
}
