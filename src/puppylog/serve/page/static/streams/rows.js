/**
 * The rows of the table of streams. A row is made once and then only changed, so that a poll takes neither the focus
 * nor the selected text away.
 * @typedef {import("./order.js").Stream} Stream
 */

import { h, visible } from "../lib/dom.js";
import { bytes, count, duration } from "../lib/numbers.js";
import { format, relative } from "../lib/times.js";
import { describeLabels, STATES } from "./order.js";
import { sparkline } from "./sparkline.js";

/** The columns: a label, the order that a click on it gives, and how it is aligned. */
export const COLUMNS = [
  { name: "state", label: "State", sort: "state" },
  { name: "source", label: "Source", sort: "source" },
  { name: "group", label: "Group" },
  { name: "host", label: "Host" },
  { name: "lag", label: "Waiting", sort: "lag", align: "end" },
  { name: "rate", label: "Lines a second", sort: "rate", align: "end" },
  { name: "records", label: "Records", sort: "records", align: "end" },
  { name: "rejects", label: "Rejected", sort: "rejects", align: "end" },
  { name: "format", label: "Format" },
  { name: "stored", label: "Last stored", sort: "stored", align: "end" },
  { name: "links", label: "" },
];

/** @param {string} text a value in a query, exactly */
export function quote(text) {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** @param {HTMLElement} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {number | null} rate lines a second */
export function formatRate(rate) {
  if (rate === null) return "–";
  if (rate > 0 && rate < 10) return rate.toFixed(1);
  return count(Math.round(rate));
}

/** A word for the state. @param {Stream} stream */
function describeState({ state, source_uri }) {
  if (state !== "unreported") return state;
  return /^(file|stdin|journal):/.test(source_uri) ? "not followed" : "received";
}

/** The addresses that a stream leads to. */
function linksOf(stream, app) {
  const q = `source:${quote(stream.source)}`;
  const to = (view, params) => app.address.href({ view, params });
  return {
    records: to("search", { q, since: "24h" }),
    live: to("search", { q, since: "1h", live: "1" }),
    rejects: to("rejects", { source: stream.source }),
  };
}

/**
 * @param {Stream} stream @param {any} app
 * @returns {{node: HTMLTableRowElement, update: (stream: any, rates: number[]) => void}}
 */
export function makeRow(stream, app) {
  const links = linksOf(stream, app);
  const line = sparkline();
  const parts = {
    sign: h("span", { class: "state-sign", aria: { hidden: "true" } }),
    state: h("span", {}),
    problem: h("div", { class: "stream-problem", dir: "auto" }),
    labels: h("div", { class: "quiet", dir: "auto" }),
    lag: h("span", {}),
    lag_s: h("span", { class: "quiet" }),
    rate: h("span", {}),
    records: h("span", {}),
    rejects: h("a", { href: links.rejects, title: `Show the rejected lines of ${stream.source}` }),
    format: h("span", { dir: "auto" }),
    stored: h("time", {}),
  };
  const source = h("a", { href: links.records, class: "stream-source log", dir: "auto" }, visible(stream.source));
  source.title = `Search the records of ${stream.source_uri}`;
  const cells = {
    state: [h("span", { class: "stream-state" }, parts.sign, " ", parts.state)],
    source: [source, parts.labels, parts.problem],
    group: [h("bdi", {}, visible(stream.group ?? "–"))],
    host: [h("bdi", {}, visible(stream.host ?? "–"))],
    lag: [parts.lag, parts.lag_s],
    rate: [line.node, parts.rate],
    records: [parts.records],
    rejects: [parts.rejects],
    format: [parts.format],
    stored: [parts.stored],
    links: [h("a", { href: links.live, title: `Watch ${stream.source} live` }, "Live")],
  };
  const node = h(
    "tr",
    { data: { stream: String(stream.stream_id) } },
    COLUMNS.map(({ name, label, align }) =>
      h("td", { class: `cell-${name}${align ? " right" : ""}`, data: { label } }, cells[name]),
    ),
  );
  const update = (now, rates) => {
    const { sign, tone } = STATES[now.state] ?? { sign: "?", tone: "quiet" };
    node.dataset.tone = tone;
    setText(parts.sign, sign);
    setText(parts.state, describeState(now));
    setText(parts.problem, visible(now.problem ?? ""));
    setText(parts.labels, visible(describeLabels(now)));
    setText(parts.lag, now.lag_bytes === 0 ? "0" : bytes(now.lag_bytes));
    setText(parts.lag_s, now.lag_bytes ? ` for ${duration(now.lag_s)}` : "");
    setText(parts.rate, formatRate(now.lines_per_s));
    setText(parts.records, count(now.records));
    setText(parts.rejects, count(now.rejected_lines));
    parts.rejects.classList.toggle("has-rejects", now.rejected_lines > 0);
    setText(parts.format, visible(now.format ?? "–"));
    parts.format.title = now.format ?? "";
    setText(parts.stored, now.stored_at ? relative(now.stored_at) : "never");
    parts.stored.title = now.stored_at ? format(now.stored_at) : "";
    line.draw(rates);
  };
  return { node, update };
}
