/** The view Search: the box, the records over time, the counts per value, the records. */
import { fill, h, iconButton } from "../lib/dom.js";
import * as box from "../search/box.js";
import { openChips } from "../search/chips.js";
import { createSearch } from "../search/condition.js";
import * as facets from "../search/facets.js";
import * as histogram from "../search/histogram.js";
import * as lines from "../search/lines.js";
import { openTasks } from "../search/tasks.js";

export const title = "Search";

/** @param {HTMLElement} container @param {import("../app.js").App} app */
export function open(container, app) {
  const search = createSearch(app);
  const parts = {
    box: h("div", { class: "search-box" }),
    progress: h("div", { class: "search-progress" }),
    chips: h("ul", { class: "chips", aria: { label: "Conditions of the query" }, hidden: true }),
    histogram: h("section", { class: "histogram", aria: { label: "Records over time" } }),
    facets: h("aside", { class: "facets", aria: { label: "Counts per value" } }),
    lines: h("section", { class: "lines", aria: { label: "Records" } }),
  };
  const range = app.range.control({ onRefresh: search.refresh });
  const filters = iconButton("filter", "Counts per value", () => counts.openSheet(), { class: "icon-button search-filters" });
  fill(
    container,
    h("h1", { class: "visually-hidden" }, title),
    h("div", { class: "search-bar" }, parts.box, h("div", { class: "search-tools" }, filters, range.element)),
    parts.progress, parts.chips, parts.histogram,
    h("div", { class: "search-body" }, parts.facets, parts.lines),
  );
  container.classList.add("search-view");

  const tasks = openTasks(parts.progress, app);
  const query = box.open(parts.box, app, search);
  const chips = openChips(parts.chips, search);
  /** The box shows what is wrong with the query, once for all parts. @param {import("../lib/api.js").ApiError} error */
  const onError = (error) => {
    if (error.status !== 400 || error.container !== "q") return false;
    query.showFault(error);
    return true;
  };
  const view = { tasks, onError };
  const chart = histogram.open(parts.histogram, app, search, view);
  const counts = facets.open(parts.facets, app, search, view);
  const list = lines.open(parts.lines, app, search, view);
  chips.show();
  chart.load();
  counts.load();
  let known = JSON.stringify(search.params());

  return {
    /** @param {import("../lib/address.js").Address} address */
    update(address) {
      range.update();
      const now = JSON.stringify(search.params());
      if (now !== known) {
        known = now;
        query.update();
        chips.show();
        search.refresh();
      }
      chart.update();
      list.update(address);
    },
    close() {
      range.close();
      query.close();
      chart.close();
      counts.close();
      list.close();
      tasks.close();
    },
  };
}
