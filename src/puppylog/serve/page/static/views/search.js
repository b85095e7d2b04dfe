/** The view Search. */
import { fill, h } from "../lib/dom.js";

export const title = "Search";

/** @param {HTMLElement} place @param {import("../app.js").App} _app */
export function open(place, _app) {
  fill(place, h("h1", null, title), h("p", { class: "quiet" }, "This view is not built yet."));
  return { update() {}, close() {} };
}
