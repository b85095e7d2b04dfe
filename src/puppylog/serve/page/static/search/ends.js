// What stands above and below the lines: how many there are, and what can be asked for.

import { h, icon } from "../lib/dom.js";
import { count, plural } from "../lib/numbers.js";

/**
 * @typedef {object} State of the list
 * @property {number} length lines in it
 * @property {number} gone lines at its start that it does not keep
 * @property {boolean} hasMore whether the search finds more
 * @property {string | null} searchedTo how far a search has come that has not found all yet
 * @property {boolean} isTailed whether lines were added as they were stored
 * @property {boolean} isLive whether such lines still come
 * @property {boolean} isLoading
 * @property {string | null} failure why no more could be loaded
 * @property {"newest" | "oldest"} order
 */

/** How many lines there are, in words. @param {State} state */
export function describeList({ length, gone, hasMore, isTailed, isLive, order }) {
  if (isLive || !length) return "";
  const lines = gone + length;
  const which = isTailed ? `${plural(lines, "line")} of the tail` : hasMore ? `${count(lines)} lines, and more below` : `${plural(lines, "line")}, all that match`;
  return `${which}, ${order} first`;
}

/** @param {State} state @param {() => void} load @returns {import("../lib/dom.js").Child} */
export function drawTop({ gone }, load) {
  return gone > 0 && [`${plural(gone, "line")} before these ${gone === 1 ? "is" : "are"} not shown any more. `, link("Back to the start", load)];
}

/** @param {State} state @param {{more: () => void, again: () => void}} doing @returns {import("../lib/dom.js").Child} */
export function drawEnd(state, { more, again }) {
  const { hasMore, isTailed, isLive, isLoading, failure, searchedTo, order } = state;
  const canLoad = hasMore && !isLive;
  const last = endOf(state);
  return [
    failure && h("p", { class: "lines-note" }, icon("warning"), failure),
    canLoad && searchedTo && h("p", { class: "lines-bottom", role: "status" }, `Searched ${order === "newest" ? "back" : "up"} to ${searchedTo}.`),
    canLoad && h("button", { type: "button", class: "more-button", disabled: isLoading, on: { click: more } }, isLoading ? (searchedTo ? "Searching on…" : "Loading more…") : "More lines"),
    isTailed && !isLive && link("Search again", again),
    last && h("p", { class: "lines-bottom" }, last),
  ];
}

/** @param {State} state */
function endOf({ length, hasMore, isTailed, isLive, order }) {
  if (!length && !hasMore) return isLive ? "No lines yet." : "No lines.";
  if (hasMore || isTailed || isLive) return null;
  return order === "newest" ? "The oldest line that matches." : "The newest line that matches.";
}

/** @param {string} text @param {() => void} onClick */
function link(text, onClick) {
  return h("button", { type: "button", class: "link", on: { click: onClick } }, text);
}
