// A long text in parts: the browser lays out only what the reader has asked for.

import { h } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { textNodes } from "./text.js";

const FIRST = 4000; // characters
const NEXT = 64000;

/** @param {string} text @param {number[][]} spans of the matches */
export function longText(text, spans) {
  const block = h("pre", { class: "log long-text", dir: "auto", tabindex: text.length > 400 ? 0 : null, role: text.length > 400 ? "region" : null, aria: { label: text.length > 400 ? "Text of the log" : null } });
  const more = h("button", { type: "button", class: "more-button" });
  let shown = 0;
  function show(/** @type {number} */ size) {
    const end = cutAt(text, shown + size);
    const inside = spans.filter(([start]) => start >= shown && start < end).map(([start, stop]) => [start - shown, Math.min(stop, end) - shown]);
    block.append(h("span", { class: "text-part" }, textNodes(text.slice(shown, end), inside)));
    shown = end;
    more.hidden = shown >= text.length;
    more.textContent = `Show ${count(Math.min(NEXT, text.length - shown))} more of ${count(text.length)} characters`;
  }
  more.addEventListener("click", () => show(NEXT));
  show(text.length <= FIRST * 1.5 ? text.length : FIRST);
  return h("div", { class: "long" }, block, more);
}

/** An end that parts no pair of surrogates. @param {string} text @param {number} end */
function cutAt(text, end) {
  if (end >= text.length) return text.length;
  return /[\ud800-\udbff]/.test(text[end - 1]) ? end + 1 : end;
}
