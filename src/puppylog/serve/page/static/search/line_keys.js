// What the keys do with the lines.

import { copyLine } from "./record.js";

const GROUP = { group: "Lines" };

/**
 * @param {{bind: (keys: string, label: string, fn: (event: KeyboardEvent) => void, options?: object) => () => void}} keys
 * @param {any} lines the lines of the search view, see lines.js
 * @returns {() => void} stops all
 */
export function bindKeys(keys, lines) {
  const say = lines.app.toast ?? lines.say;
  const go = (/** @type {Record<string, any>} */ params) => lines.go(params, { replace: true });
  const match = (/** @type {1 | -1} */ step) => lines.shownList.moveToMatch(step) || say("No line on the page has a match to mark.");
  /** While the details are open, they follow. @param {number} steps */
  const move = (steps) => (lines.view.at ? lines.step(steps) : lines.shownList.move(steps));
  const stops = [
    keys.bind("j", "Next line", () => move(1), GROUP),
    keys.bind("k", "Previous line", () => move(-1), GROUP),
    keys.bind("n", "Next match of the query", () => match(1), GROUP),
    keys.bind("p", "Previous match of the query", () => match(-1), GROUP),
    keys.bind("c", "Copy the line as it was in its file", () => copy(lines, say), GROUP),
    keys.bind("x", "Lines around this one in its file", () => lines.shownList.active && lines.go({ around: lines.view.around ? null : lines.shownList.active }), GROUP),
    keys.bind("w", "Wrap long lines, or do not", () => go({ wrap: lines.view.isWrapped ? "0" : null }), GROUP),
    keys.bind("t", "As a table, or as lines", () => go({ form: lines.view.form === "table" ? null : "table" }), GROUP),
    keys.bind("o", "Oldest first, or newest first", () => lines.go({ order: lines.view.order === "newest" ? "oldest" : null }), GROUP),
    keys.bind("l", "Live: new lines as they are stored", () => lines.go({ live: lines.view.isLive ? null : true }), GROUP),
    keys.bind("Escape", "Close the record, or the lines around it", () => (lines.view.at ? lines.closeRecord() : lines.view.around && lines.go({ around: null })), GROUP),
  ];
  return () => stops.forEach((stop) => stop());
}

/** @param {any} lines @param {(text: string) => void} say */
async function copy(lines, say) {
  const record = lines.shownList.activeRecord;
  if (!record || record.rejected) return;
  try {
    await copyLine(record, say);
  } catch (error) {
    say(`The line cannot be copied: ${/** @type {Error} */ (error).message}`);
  }
}
