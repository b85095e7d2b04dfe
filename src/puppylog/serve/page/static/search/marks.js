// Which parts of a record's texts the query has found, so that the page can mark them.
//
// The rules are those of the terminal: words, phrases and regular expressions are looked for in every text, the values
// of field:value and field~/…/ in that field only. What stands behind "not", and a comparison of numbers, marks nothing.

import { readTests } from "./scan.js";

/** @typedef {import("./scan.js").Test} Test */
/** @typedef {(text: string) => number[][]} Finder returns the spans that it finds, in UTF-16 units */

const ALIASES = /** @type {Record<string, string>} */ ({ indent_logname: "ident", response_bsize: "response_bytes" });
const CLASSES = /** @type {Record<string, string>} */ ({ alpha: "A-Za-z", digit: "0-9", alnum: "A-Za-z0-9", upper: "A-Z", lower: "a-z", space: "\\s", xdigit: "0-9A-Fa-f", word: "\\w" });

// A longer text is not searched: nobody reads it for its colours.
const MAX_CHARACTERS = 20000;
// The browser's regular expressions may take exponential or polynomial time, the server's do not. So a pattern searches
// the start of a text, then twice as much, and so on, as long as each step is fast. It stops for good when it has taken
// MAX_MS in all. With at most this many choices the step after a fast one is slow, but ends.
const MAX_CHOICES = 8;
const FIRST_CHARACTERS = 16;
const FAST_MS = 1;
const MAX_MS = 300;

/** @param {string} text */
function escape(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** @param {string[]} parts @returns {Finder | null} */
function literal(parts) {
  const texts = parts.filter(Boolean);
  if (!texts.length) return null;
  const pattern = new RegExp(texts.map(escape).join("|"), "giu");
  return (text) => spansOf(pattern, text);
}

/** @param {RegExp} pattern @param {string} text */
function spansOf(pattern, text) {
  /** @type {number[][]} */
  const spans = [];
  for (const found of text.matchAll(pattern)) if (found[0]) spans.push([found.index, found.index + found[0].length]);
  return spans;
}

/**
 * Whether a pattern may take exponential time: a repeated group of it has a repetition or a choice in it, or it has many.
 * @param {string} pattern
 */
function mayExplode(pattern) {
  const hasChoice = [false]; // for each group that is open
  let choices = 0;
  const tokens = pattern.match(/\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]])*\]|\((?:\?(?:P?<\w+>|[a-zA-Z-]*:))?|[*+?}]\?|[^]/gu) ?? [];
  for (const [at, token] of tokens.entries()) {
    const isChoice = /^(?:[*+?{]\??|\|)$/.test(token);
    if (isChoice && (token !== "|" || hasChoice.length > 1)) choices += 1;
    if (token.startsWith("(")) hasChoice.push(false);
    else if (isChoice) hasChoice[hasChoice.length - 1] = true;
    else if (token === ")" && hasChoice.length > 1) {
      const isRisky = hasChoice.pop();
      if (isRisky && /^[*+{]/.test(tokens[at + 1] ?? "")) return true;
      if (isRisky) hasChoice[hasChoice.length - 1] = true;
    }
  }
  return choices > MAX_CHOICES;
}

/** Returns what finds the matches of an RE2 pattern, or null if the browser cannot run it, or not in a safe time.
 * @param {string} pattern @returns {Finder | null} */
function regex(pattern) {
  if (mayExplode(pattern)) return null;
  let flags = "gu";
  const translated = pattern
    .replace(/^\(\?([ims]+)\)/, (_all, given) => { flags += given; return ""; })
    .replace(/\(\?P</g, "(?<")
    .replace(/\[:(\w+):\]/g, (all, name) => CLASSES[name] ?? all)
    .replace(/\\A/g, "^").replace(/\\z/g, "$").replace(/\\x\{/g, "\\u{");
  let compiled;
  try {
    compiled = new RegExp(translated, flags);
  } catch {
    try { compiled = new RegExp(translated, flags.replace("u", "")); } catch { return null; }
  }
  const matcher = compiled;
  let spent = 0;
  return (text) => {
    let spans = /** @type {number[][]} */ ([]);
    for (let end = FIRST_CHARACTERS; spent < MAX_MS; end *= 2) {
      const started = performance.now();
      spans = spansOf(matcher, text.slice(0, end));
      const took = performance.now() - started;
      spent += took;
      if (end >= text.length || took > FAST_MS) break;
    }
    return spans;
  };
}

/** @param {Test} test @returns {Finder|null} */
function finderOf(test) {
  if (test.kind === "regex") return regex(test.value ?? "");
  const isQuoted = test.kind === "word" && test.text.startsWith('"');
  if (isQuoted || (test.kind === "field" && !test.hasStar)) return literal([test.value ?? ""]);
  const parts = (test.value ?? "").split(/(?<!\\)\*/);
  return literal(parts.map((part) => part.replace(/\\([\\*"():=<>~!\-/ ])/g, "$1")));
}

/** @param {string} name as a query has it @returns {string} as a record has it */
function fieldName(name) {
  const small = name.toLowerCase();
  if (small.startsWith("attributes.")) return name.slice("attributes.".length);
  return ALIASES[small] ?? name;
}

/** @param {string} query @param {Finder[]} anywhere @param {Map<string, Finder[]>} byField */
function gather(query, anywhere, byField) {
  for (const test of readTests(query)?.tests ?? []) {
    if (test.isNegated || test.kind === "has") continue;
    if (test.kind === "group") {
      gather(test.text.slice(1, -1), anywhere, byField);
      continue;
    }
    if (test.kind === "field" && test.operator !== ":" && test.operator !== "=") continue;
    const finder = finderOf(test);
    if (!finder) continue;
    if (test.name === undefined) anywhere.push(finder);
    else for (const name of new Set([fieldName(test.name), fieldName(test.name).toLowerCase()])) {
      byField.set(name, [...(byField.get(name) ?? []), finder]);
    }
  }
}

/** @param {number[][]} spans @returns {number[][]} in order; those that overlap or touch are one */
function merge(spans) {
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  /** @type {number[][]} */
  const merged = [];
  for (const [start, end] of spans) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/**
 * Returns what finds the matches of a query in the text of a field.
 * @param {string} query
 * @returns {(name: string, text: string) => number[][]} the spans, in UTF-16 units, from left to right
 */
export function findMatches(query) {
  /** @type {Finder[]} */
  const anywhere = [];
  /** @type {Map<string, Finder[]>} */
  const byField = new Map();
  gather(query ?? "", anywhere, byField);
  if (!anywhere.length && !byField.size) return () => [];
  return (name, text) => {
    const finders = [...anywhere, ...(byField.get(name) ?? [])];
    if (!finders.length || text.length > MAX_CHARACTERS) return [];
    return merge(finders.flatMap((find) => find(text)));
  };
}
