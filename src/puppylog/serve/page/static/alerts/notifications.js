// What contacts were told about an alert: sent, waiting, and given up.
import { fill, h, icon, logText } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";
import * as times from "../lib/times.js";

/** @type {Record<string, [string, "check" | "clock" | "warning" | "minus"]>} */
const STATES = { sent: ["Sent", "check"], waiting: ["Waiting", "clock"], dead: ["Given up", "warning"], dropped: ["Not needed", "minus"] };
/** @type {Record<string, string>} */
const KINDS = { firing: "it fires", no_data: "it has no data", resolved: "it is resolved" };

/** A table of notifications, the newest first. */
export function notificationsTable() {
  const node = h("div", null);
  let shown = "";
  return {
    node,
    /** @param {any[]} notifications @param {string[]} contacts @param {boolean} [hasMore] */
    update(notifications, contacts, hasMore = false) {
      const text = JSON.stringify([notifications, contacts, hasMore]);
      if (text === shown) return;
      shown = text;
      fill(node, notifications.length ? makeTable(notifications) : h("p", { class: "quiet" }, contacts.length ? "Nobody was told yet." : "It has no contacts, so nobody is told."), hasMore && h("p", { class: "quiet" }, `Only the newest ${numbers.count(notifications.length)} are shown.`));
    },
  };
}

/** @param {any[]} notifications */
function makeTable(notifications) {
  const heads = ["State", "Contact", "Says", "Time", "Why"].map((name) => h("th", { scope: "col" }, name));
  return h("div", { class: "scroll" }, h("table", { class: "plain-table" }, h("thead", null, h("tr", null, heads)), h("tbody", null, notifications.map(makeRow))));
}

/** @param {any} one */
function makeRow(one) {
  const [word, sign] = STATES[one.state] ?? [one.state, "more"];
  return h(
    "tr",
    null,
    h("td", null, h("span", { class: "alert-state", data: { condition: one.state } }, icon(sign), word)),
    h("td", null, logText(one.contact)),
    h("td", null, KINDS[one.kind] ?? one.kind, one.segment === null || one.segment === undefined ? null : [" ", logText(one.segment)]),
    h("td", null, times.timeElement(one.sent_at ?? one.at)),
    h("td", null, one.reason ? logText(one.reason) : one.attempts > 1 ? `after ${one.attempts} attempts` : null),
  );
}
