// Text of a log as nodes: matches are marked, and characters that cannot be seen, or that reorder others, are shown.

import { h } from "../lib/dom.js";

// Control and format characters, separators of lines and paragraphs, lone surrogates, and code points without a meaning.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
const UNSEEN_PARTS = /([\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}])/u;
const LAYOUT = /[\n\t]/g;

/** The picture of a character that cannot be seen: ␛ for an escape, for others their number. @param {string} character */
function picture(character) {
  const code = character.codePointAt(0) ?? 0;
  const number = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  let shown = number;
  if (code < 0x20) shown = String.fromCodePoint(0x2400 + code);
  else if (code === 0x7f) shown = "␡";
  return h("span", { class: "unseen", title: number }, shown);
}

/** @param {string} text @returns {(Node | string)[]} */
function plain(text) {
  if (!UNSEEN.test(text.replace(LAYOUT, ""))) return [text];
  return text.split(UNSEEN_PARTS).filter(Boolean).map((part) => (UNSEEN.test(part) && part !== "\n" && part !== "\t" ? picture(part) : part));
}

/**
 * A text of a log as nodes. Line ends and tabs stay.
 * @param {string} text @param {number[][]} [spans] of the matches, in UTF-16 units, from left to right
 */
export function textNodes(text, spans = []) {
  if (!spans.length) return plain(text);
  const nodes = [];
  let at = 0;
  for (const [start, end] of spans) {
    if (start >= text.length) break;
    nodes.push(...plain(text.slice(at, start)), h("mark", null, plain(text.slice(start, end))));
    at = Math.min(end, text.length);
  }
  return [...nodes, ...plain(text.slice(at))];
}

/** A text of a log as an element with a direction of its own. @param {string} text @param {number[][]} [spans] @param {string} [name] class */
export function markedText(text, spans = [], name = "") {
  return h("bdi", { class: name ? `log ${name}` : "log" }, textNodes(text, spans));
}
