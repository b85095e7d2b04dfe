/**
 * The list of rejected lines: each with its location, its time, its reason, and a caret where the format does not fit.
 */

import { fill, h, iconButton, visible } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { timeElement } from "../lib/times.js";
import { excerpt } from "./excerpt.js";

/**
 * @param {any} line as the API answers
 * @param {{ask: (change: any) => void, hasReason: boolean, copy: (text: string) => void}} page
 */
export function rejectedLine(line, { ask, hasReason, copy }) {
  const text = h("div", { class: "rejected-text log", dir: "auto" });
  draw(text, line, false);
  const reason = hasReason ? null : h("button", {
    type: "button",
    class: "link rejected-reason",
    title: "Show only lines with this reason",
    on: { click: () => ask({ reason: line.reason }) },
  }, visible(line.reason));
  const source = h("button", {
    type: "button",
    class: "link rejected-source",
    title: "Show only lines of this source",
    dir: "auto",
    on: { click: () => ask({ source: line.source }) },
  }, visible(line.source));
  const location = h("span", { class: "rejected-place quiet", dir: "auto" }, visible(locationOf(line)));
  const copyButton = iconButton("copy", "Copy the line", () => copy(line.line));
  const time = timeElement(line.rejected_at);
  time.classList.add("quiet");
  return h("li", { class: "rejected" }, h("div", { class: "rejected-head" }, time, source, location, reason, copyButton), text);
}

function locationOf(line) {
  const offset = `byte ${count(line.line_offset)}`;
  return line.file && line.file !== line.source ? `${line.file}, ${offset}` : offset;
}

function draw(container, line, isWhole) {
  const { column } = line;
  const { hidden_before, before, at, after, hidden_after } = excerpt(line.line, column, isWhole);
  const more = (hidden) => {
    const expand = h("button", {
      type: "button",
      class: "more",
      aria: { label: `Show ${count(hidden)} more characters` },
      on: { click: () => draw(container, line, true) },
    }, `… ${count(hidden)} more`);
    return hidden ? expand : null;
  };
  const mark = column === null ? null : h(
    "mark",
    { class: "misfit", title: `The format does not fit from column ${count(column + 1)}` },
    visible(at) || "\u00a0",
    at ? null : h("span", { class: "visually-hidden" }, "(the line ends too early)"),
  );
  const isEmpty = line.line === "" ? h("span", { class: "quiet" }, "(an empty line)") : null;
  const isLeftOut = line.is_cut && (isWhole || hidden_after === 0);
  const left = isLeftOut ? h("p", { class: "quiet" }, "The line is longer: “puppylog rejects export” writes all of it.") : null;
  fill(container, more(hidden_before), visible(before), mark, visible(after), isEmpty, more(hidden_after), left);
}
