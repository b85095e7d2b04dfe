// What stands in place of the bars if the search finds no record: where the newest one is.
import * as api from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { toText } from "./condition.js";

const AROUND_MS = 3_600_000;

/**
 * @param {Element} container
 * @param {any} app
 * @param {import("./condition.js").Search} search
 */
export function openEmpty(container, app, search) {
  let asked = 0;

  /** @param {string|null} q @returns {Promise<string|null>} the time of the newest record that a query finds */
  async function findNewest(q) {
    const { group, tz } = search.params();
    const answer = await api.get("records", { q, group, tz, limit: 1 });
    return answer.records[0]?.ts ?? null;
  }

  return async function show() {
    const mine = (asked += 1);
    const { q } = search.condition();
    fill(container, h("p", null, "No records here."));
    try {
      const newest = await findNewest(q);
      const other = newest === null && q !== null ? await findNewest(null) : null;
      if (mine === asked) fill(container, newest ? makeOffer(newest, q) : makeNothing(q, other));
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error; // the other parts tell why the server refuses
    }
  };

  /** @param {string} newest @param {string|null} q */
  function makeOffer(newest, q) {
    const click = () => search.setRange(toText(wholeSecond(newest) - AROUND_MS), toText(wholeSecond(newest) + 1000));
    const which = q === null ? "The newest record is" : "The newest record of this query is";
    return h("p", null, `No records here. ${which} from `, app.times.timeElement(newest, { seconds: true }), `, ${app.times.relative(newest)}. `, h("button", { type: "button", class: "link", on: { click } }, "Go there"));
  }

  /** @param {string|null} q @param {string|null} other */
  function makeNothing(q, other) {
    if (q === null || other === null) return h("p", null, "The store has no records yet.");
    const clear = h("button", { type: "button", class: "link", on: { click: () => search.setQuery("") } }, "Clear the query");
    return h("p", null, "No record matches this query, at any time. ", clear);
  }
}

/** @param {string} ts */
function wholeSecond(ts) {
  return Math.floor(Date.parse(ts) / 1000) * 1000;
}
