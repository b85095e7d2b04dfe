// The bar above the lines: how many there are, live or not, in which form and order, what can be done with them.

import { h, icon } from "../lib/dom.js";
import { openChooser } from "./columns.js";
import { openDownload } from "./download.js";

/** @param {any} lines the lines of the search view, see lines.js */
export function openToolbar(lines) {
  const status = h("p", { class: "lines-status", role: "status" });
  const go = (/** @type {Record<string, any>} */ params) => lines.go(params, { replace: true });
  const toggle = (/** @type {string} */ label, /** @type {string} */ title, /** @type {() => void} */ onClick, /** @type {any} */ sign) =>
    h("button", { type: "button", title, aria: { pressed: false, label }, on: { click: onClick } }, sign);
  const live = toggle("Live", "New lines as they are stored (l)", () => lines.go({ live: lines.view.isLive ? null : true }), [h("span", { class: "live-dot" }), "Live"]);
  const asLines = toggle("As lines", "As lines (t)", () => go({ form: null }), icon("list"));
  const asTable = toggle("As table", "As a table (t)", () => go({ form: "table" }), icon("columns"));
  const wrap = toggle("Wrap", "Wrap long lines (w)", () => go({ wrap: lines.view.isWrapped ? "0" : null }), icon("wrap"));
  const order = h("button", { type: "button", title: "Which lines come first (o)", on: { click: () => lines.go({ order: lines.view.order === "newest" ? "oldest" : null }) } });
  const columns = h("button", { type: "button", on: { click: chooseColumns } }, "Columns");
  const download = h("button", { type: "button", class: "icon-button", title: "Download or take along", aria: { label: "Download" } }, icon("download"));
  openDownload(download, { params: () => lines.params(), app: lines.app, say: lines.app.toast ?? lines.say });
  const element = h("div", { class: "lines-bar", role: "group", aria: { label: "Lines" } }, status, h("span", { class: "grow" }),
    columns, live, order, h("span", { class: "segmented" }, asLines, asTable), wrap, download);

  function chooseColumns() {
    openChooser(lines.columns, lines.list.records, lines.search.params(), (columns) => lines.setColumns(columns));
  }
  function draw() {
    const { form, isWrapped, order: first, isLive, around } = lines.view;
    const pressed = /** @type {[HTMLElement, boolean][]} */ ([[live, isLive], [asLines, form === "lines"], [asTable, form === "table"], [wrap, isWrapped]]);
    for (const [button, isPressed] of pressed) button.setAttribute("aria-pressed", String(isPressed));
    const name = first === "newest" ? "Newest first" : "Oldest first";
    order.replaceChildren(icon(first === "newest" ? "down" : "up"), h("span", { class: "order-name" }, name));
    order.setAttribute("aria-label", name);
    columns.hidden = form !== "table";
    for (const part of [status, live, order, download]) part.hidden = Boolean(around);
  }
  draw();
  return { element, draw, say: (/** @type {string} */ text) => { if (status.textContent !== text) status.textContent = text; } };
}
