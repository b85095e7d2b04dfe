// The same metric a day or a week before.
import * as address from "../lib/address.js";
import { h } from "../lib/dom.js";
import * as times from "../lib/times.js";
import { askSeries } from "./asking.js";

/** @type {[string, string, string, number][]} value in the address, words in the legend, label, seconds */
const CHOICES = [
  ["", "", "No comparison", 0],
  ["1d", "the day before", "Day before", 86_400],
  ["7d", "the week before", "Week before", 604_800],
];

/** With more segments, only the largest ones are compared: more lines could not be told apart. */
export const MAX_COMPARED = 3;

/** Seconds to go back. @param {string | null} value */
export const shiftOf = (value) => CHOICES.find(([one]) => one === value)?.[3] ?? 0;

/** @param {string | null} value */
export const comparisonOf = (value) => CHOICES.find(([one]) => one === value)?.[1] ?? "";

/** @param {string | null} value */
export function comparisonSwitch(value) {
  const buttons = CHOICES.map(([one, , label]) => h("button", { type: "button", aria: { pressed: String((value ?? "") === one) }, on: { click: () => address.go({ params: { compare: one || null } }) } }, label));
  return h("div", { class: "segmented", role: "group", aria: { label: "Compare with" } }, buttons);
}

/**
 * The values so many seconds before those of an answer, each in the place of the step that it is compared with.
 * @param {import("./asking.js").Answer} answer @param {number} shift_s
 * @param {{segment: string | null, series: number}} question @param {AbortSignal} signal
 * @returns {Promise<import("./legend.js").Series[]>}
 */
export async function compare(answer, shift_s, { segment, series }, signal) {
  const length = answer.series[0]?.values.length ?? 0;
  const start = times.toMs(answer.start) - shift_s * 1000;
  const [since, until] = [start, start + length * answer.step_s * 1000].map((ms) => new Date(ms).toISOString());
  const before = await askSeries(answer.metric.name, { since, until, steps: length + 1, segment, series }, signal);
  const offset = before.start ? (times.toMs(before.start) - start) / 1000 : 0;
  return before.series.map((one) => ({
    segment: one.segment,
    values: Array.from({ length }, (_, at) => one.values[Math.floor((at * answer.step_s - offset) / before.step_s)] ?? null),
  }));
}
