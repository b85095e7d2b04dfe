// The states of an alert over time: a band for each segment, below the chart of its metric.
import { fill, h, logText, visible } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";
import * as times from "../lib/times.js";
import { compareUrgency, stateWord } from "./condition.js";

/** So many segments have a band, the most urgent ones. */
const MAX_BANDS = 8;

/**
 * @typedef {{state: string | null, since: number, until: number}} Part `state` is null where it is unknown
 * @typedef {import("./condition.js").AlertRow} AlertRow
 * @typedef {import("./history.js").Transition} Transition
 */

/** The bands of an alert. */
export function stateBands() {
  const node = h("div", { class: "alert-bands" });
  return {
    node,
    /**
     * @param {AlertRow[]} rows @param {Transition[]} transitions @param {boolean} hasMore
     * @param {{since: number, until: number}} range milliseconds
     */
    update(rows, transitions, hasMore, range) {
      const sorted = [...rows].sort(compareUrgency);
      const moved = new Set(transitions.map((transition) => transition.segment));
      // Segments that changed their state in the range tell more than others.
      const chosen = [...sorted.filter((row) => moved.has(row.segment)), ...sorted.filter((row) => !moved.has(row.segment))].slice(0, MAX_BANDS);
      const bands = chosen.map((row) => makeBand(row, partsOf(row, transitions, hasMore, range), range));
      const rest = rows.length - chosen.length;
      fill(node, bands, rest > 0 && h("p", { class: "quiet" }, `${numbers.plural(rest, "more segment")} without a band.`));
    },
  };
}

/**
 * The parts of a range in which a segment had one state.
 * @param {AlertRow} row @param {Transition[]} transitions @param {boolean} hasMore earlier ones are not known
 * @param {{since: number, until: number}} range
 * @returns {Part[]}
 */
export function partsOf(row, transitions, hasMore, { since, until }) {
  const own = transitions.filter((transition) => transition.segment === row.segment).sort((a, b) => a.id - b.id);
  const changes = own.map((transition) => ({ at: times.toMs(transition.at), state: transition.to_state }));
  // Before its first known change, a segment had the state that it changed from. If there are more transitions than are
  // known, this is certain only since the oldest known one of any segment.
  const knownSince = hasMore ? Math.min(...transitions.map((transition) => times.toMs(transition.at))) : since;
  let state = own.length ? own[0].from_state : row.state;
  let at = Math.max(since, knownSince);
  /** @type {Part[]} */
  const parts = at > since ? [{ state: null, since, until: at }] : [];
  for (const change of changes) {
    const edge = Math.min(Math.max(change.at, at), until);
    if (edge > at) parts.push({ state, since: at, until: edge });
    [state, at] = [change.state, edge];
  }
  if (until > at) parts.push({ state, since: at, until });
  return parts;
}

/** @param {AlertRow} row @param {Part[]} parts @param {{since: number, until: number}} range */
function makeBand(row, parts, { since, until }) {
  const name = row.segment_name ?? row.segment;
  const words = parts.map((part) => `${part.state === null ? "unknown" : stateWord(part.state)} from ${times.format(part.since)} to ${times.format(part.until)}`);
  const pieces = parts.map((part, index) => {
    const [left, width] = [(part.since - since) / (until - since), (part.until - part.since) / (until - since)];
    return h("span", { data: { state: part.state ?? "unknown" }, title: words[index], style: { left: `${left * 100}%`, width: `${width * 100}%` } });
  });
  const strip = h("div", { class: "alert-band", role: "img", aria: { label: `States${name === null ? "" : ` of ${visible(name)}`}: ${words.join("; ")}` } }, pieces);
  return [name !== null && h("div", { class: "alert-band-name" }, logText(name)), strip];
}
