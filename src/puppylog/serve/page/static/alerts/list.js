// The list of alerts, the most urgent first.
import * as address from "../lib/address.js";
import { fill, h, icon, logText, visible } from "../lib/dom.js";
import { keyed } from "../lib/keyed.js";
import * as numbers from "../lib/numbers.js";
import * as times from "../lib/times.js";
import { acknowledge, actionButton, markRefused, silence } from "./actions.js";
import { CONDITIONS, compareUrgency, conditionOf, conditionTag, describeValue, isProblem, segmentName, severityTag } from "./condition.js";

/**
 * @typedef {import("./condition.js").AlertRow} AlertRow
 * @typedef {import("./condition.js").Condition} Condition
 * @typedef {{key: string, row: AlertRow, more: number, note: string}} Item `more`: the row stands for so many segments
 */

/** So many segments of one alert in one condition have a row each; the others share one. */
const MAX_SEGMENTS = 5;

/**
 * @param {import("./actions.js").Context} context
 * @param {(metric: string) => import("../metrics/units.js").Unit} unitOf
 */
export function alertsTable(context, unitOf) {
  const body = h("tbody", null);
  const heads = ["State", "Alert", "Value", "Since", "Last fired", "Who knows", ""];
  const head = h("tr", null, heads.map((name) => h("th", { scope: "col" }, name || h("span", { class: "visually-hidden" }, "Actions"))));
  const node = h("table", { class: "alerts-table" }, h("thead", null, head), body);
  const show = keyed(body, (/** @type {Item} */ item) => item.key, (item) => makeRow(context, unitOf, item));
  return {
    node,
    /** @param {AlertRow[]} rows */
    update(rows) {
      show(gather(rows));
      for (const button of body.querySelectorAll("button")) markRefused(button, context);
      for (const element of body.querySelectorAll("time")) tick(element);
    },
  };
}

/** Brings a relative time up to date. @param {HTMLTimeElement} element */
export function tick(element) {
  const text = times.relative(element.dateTime);
  if (element.textContent !== text) element.textContent = text;
}

/** @param {AlertRow[]} rows @returns {string} such as "2 firing, 1 pending, 12 OK" */
export function countConditions(rows) {
  /** @type {Partial<Record<Condition, number>>} */
  const counts = {};
  for (const row of rows) counts[conditionOf(row)] = (counts[conditionOf(row)] ?? 0) + 1;
  const known = /** @type {Condition[]} */ (Object.keys(CONDITIONS)).filter((condition) => counts[condition]);
  return known.map((condition) => `${numbers.count(counts[condition])} ${condition === "ok" ? "OK" : CONDITIONS[condition][0].toLowerCase()}`).join(", ");
}

/** A row each, but one for many segments of an alert that are all in one condition. @param {AlertRow[]} rows @returns {Item[]} */
function gather(rows) {
  const items = [];
  /** @type {Map<string, AlertRow[]>} */
  const groups = new Map();
  for (const row of [...rows].sort(compareUrgency)) {
    const key = `${conditionOf(row)} ${row.name}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  for (const [key, members] of groups) {
    const most = conditionOf(members[0]) === "ok" && members.length > 1 ? 0 : MAX_SEGMENTS;
    const shown = members.length > most + 1 || most === 0 ? members.slice(0, most) : members;
    for (const row of shown) items.push({ key: JSON.stringify([row.name, row.segment]), row, more: 0, note: "" });
    const more = members.length - shown.length;
    const note = `${numbers.count(more)} ${shown.length ? "more " : ""}segments`;
    if (more) items.push({ key, row: members[shown.length], more, note });
  }
  return items;
}

/**
 * @param {import("./actions.js").Context} context
 * @param {(metric: string) => import("../metrics/units.js").Unit} unitOf
 * @param {Item} first
 */
function makeRow(context, unitOf, first) {
  let { row } = first;
  const cells = ["condition", "name", "value", "since", "last", "notes"].map((name) => h("td", { class: `alert-${name}` }));
  const [link, severity, about] = [h("a", {}), h("span", null), h("div", { class: "alert-about" })];
  const label = `${row.name}${row.segment === null ? "" : ` ${visible(row.segment)}`}`;
  const seen = actionButton(context, [icon("check"), "Acknowledge"], `Acknowledge ${label}`, () => acknowledge(context, row));
  const mute = actionButton(context, [icon("mute"), "Silence"], `Silence ${label}`, () => silence(context, { alert: row.name, segment: row.segment ?? "*" }));
  const node = h("tr", null, cells, h("td", { class: "alert-actions" }, first.more ? null : [seen, mute]));
  cells[1].append(link, " ", severity, about);

  /** @param {Item} item */
  function update(item) {
    row = item.row;
    const condition = conditionOf(row);
    node.dataset.condition = condition;
    seen.hidden = !isProblem(row) || row.acknowledged_by !== null;
    link.href = address.href({ view: "alerts", name: row.name, params: { segment: item.more ? null : row.segment } });
    fill(link, h("span", { class: "alert-title" }, row.name), item.more ? [" ", h("span", { class: "quiet" }, item.note)] : [" ", segmentName(row)]);
    fill(severity, severityTag(row.severity));
    fill(cells[0], conditionTag(condition, row.state));
    fill(about, row.description ? logText(row.description) : null, row.error ? h("span", { class: "alert-fault" }, row.error) : null);
    fill(cells[2], item.more ? null : describeValue(row, unitOf(row.metric)));
    fill(cells[3], item.more || !row.since ? null : times.timeElement(row.since, { isRelative: true }));
    fill(cells[4], row.last_fired_at && !item.more ? times.timeElement(row.last_fired_at, { isRelative: true }) : null);
    fill(cells[5], item.more ? null : describeNotes(row));
  }
  update(first);
  return { node, update };
}

/** Who has acknowledged the problem, and how long messages are held back. @param {AlertRow} row */
export function describeNotes(row) {
  const silenced = row.silence && h("span", { class: "alert-note" }, icon("mute"), `until ${times.format(row.silence.ends_at, { seconds: false })}`);
  const seen = row.acknowledged_by && h("span", { class: "alert-note" }, icon("user"), logText(row.acknowledged_by));
  return [seen, silenced];
}
