/**
 * The reasons why lines were rejected, with their numbers. A click on a reason shows only its lines.
 */

import { fill, h } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { relative } from "../lib/times.js";

/** @param {number} part @param {number} whole */
export function share(part, whole) {
  if (!whole) return "";
  const percent = (100 * part) / whole;
  if (percent < 0.1) return "<0.1 %";
  return percent === 100 ? "100 %" : `${percent.toFixed(1)} %`;
}

/**
 * @param {HTMLElement} container
 * @param {{reasons: any[], lines: number}} answer
 * @param {string} chosen the reason that is chosen; empty if none
 * @param {(change: any) => void} ask
 */
export function drawReasons(container, { reasons, lines }, chosen, ask) {
  const most = Math.max(1, ...reasons.map((reason) => reason.lines));
  const items = reasons.map((reason) => {
    const isChosen = reason.reason === chosen;
    const bar = h("span", { class: "bar", aria: { hidden: "true" }, style: { width: `${(100 * reason.lines) / most}%` } });
    const numbers = h("span", { class: "reason-count" }, count(reason.lines));
    const when = reason.last_at ? h("span", { class: "quiet reason-when" }, `last ${relative(reason.last_at)}`) : null;
    return h("li", {}, h(
      "button",
      {
        type: "button",
        class: "reason",
        aria: { pressed: String(isChosen) },
        title: isChosen ? "Show the lines of all reasons" : "Show only lines with this reason",
        on: { click: () => ask({ reason: isChosen ? null : reason.reason }) },
      },
      bar,
      h("span", { class: "reason-text", dir: "auto" }, reason.reason),
      numbers,
      h("span", { class: "reason-share quiet" }, share(reason.lines, lines)),
      when,
    ));
  });
  fill(container, h("ul", { class: "reasons" }, items));
}
