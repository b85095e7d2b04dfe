// The records that the search finds.
import { fill, h } from "../lib/dom.js";

/**
 * @param {Element} place
 * @param {any} app
 * @param {import("./condition.js").Search} search
 * @param {{tasks: import("./tasks.js").Tasks, onError: (error: import("../lib/api.js").ApiError) => boolean}} view
 */
export function open(place, app, search, view) {
  fill(place, h("p", { class: "quiet" }, "The records are not shown yet."));
  return { update() {}, close() {} };
}
