// What is searched: the query and the range of time in the address, and the ways to change them.
import { addTerm, excludeTerm, MAX_CHARACTERS, removeTerm, statusClassTerm, valueTerm } from "./query.js";

/**
 * What requests get; null is left out.
 * @typedef {{q: string|null, since: string|null, until: string|null, group: string|null}} Condition
 * @typedef {ReturnType<typeof createSearch>} Search
 */

/**
 * Returns the search of a view. The address holds it, so back and forward work.
 * @param {any} app
 */
export function createSearch(app) {
  /** @type {Set<(condition: Condition) => void>} */
  const listeners = new Set();

  /** @returns {Condition} */
  function condition() {
    const params = app.address.read().params;
    const { since, until } = app.range.query();
    return { q: params.get("q")?.replace(/\s*[\r\n]\s*/g, " ") || null, since: since || null, until: until || null, group: params.get("group") };
  }

  /** @param {string} q */
  function setQuery(q) {
    if (q === (condition().q ?? "")) refresh();
    else app.address.go({ params: { q, at: null } });
  }

  /** @param {string|null} q */
  function apply(q) {
    if (q !== null) setQuery(q);
    else app.toast(`This cannot be added: the query has a mistake, or it would have more than ${MAX_CHARACTERS.toLocaleString("en")} characters.`);
  }

  function refresh() {
    const now = condition();
    for (const listener of [...listeners]) listener(now);
  }

  return {
    condition,
    /** The parameters that requests have in common. */
    params: () => ({ ...condition(), tz: app.times.zoneName() }),
    setQuery,
    refresh,
    /** @param {string|null} since as in the address, "all" for the first record @param {string|null} until null: the present */
    setRange: (since, until) => app.address.go({ params: { since, until, at: null } }),
    removeGroup: () => app.address.go({ params: { group: null, at: null } }),
    /** @param {string} term such as "status_code:503" */
    addTerm: (term) => apply(addTerm(condition().q ?? "", term)),
    /** @param {string} term */
    excludeTerm: (term) => apply(excludeTerm(condition().q ?? "", term)),
    /** @param {string} term */
    removeTerm: (term) => apply(removeTerm(condition().q ?? "", term)),
    /** Narrows the search to one value of a field; null stands for records without the field.
     * @param {string} name @param {string|number|boolean|null} value */
    addValue: (name, value) => apply(addTerm(condition().q ?? "", termOf(name, value))),
    /** @param {string} name @param {string|number|boolean|null} value */
    excludeValue: (name, value) => apply(excludeTerm(condition().q ?? "", termOf(name, value))),
    /** @param {string} name @param {string|number|boolean|null} value */
    removeValue: (name, value) => apply(removeTerm(condition().q ?? "", termOf(name, value))),
    /** Calls a function when the query or the range has changed, or the user asks for new results.
     * @param {(condition: Condition) => void} fn @returns {() => void} stops it */
    onChange(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
  };
}

/** @param {string} name @param {string|number|boolean|null} value */
function termOf(name, value) {
  return (name === "status_class" && value !== null && statusClassTerm(String(value))) || valueTerm(name === "status_class" ? "status_code" : name, value);
}

/** @param {number} ms @returns {string} RFC 3339; the limits are those of the server's calendar */
export function toText(ms) {
  const limited = Math.min(Math.max(ms, Date.parse("0001-01-01T00:00:00Z")), Date.parse("9999-12-31T23:59:59Z"));
  return new Date(limited).toISOString().replace(".000", "");
}
