// What the address says of the lines.

/** @typedef {{form: "lines" | "table", isWrapped: boolean, order: "newest" | "oldest", columns: string | null, at: string | null, around: string | null, isLive: boolean, zone: "local" | "UTC"}} View */

/** What the address says of the lines. @param {URLSearchParams} params @param {"local" | "UTC"} zone @returns {View} */
export function readView(params, zone) {
  const place = (/** @type {string} */ name) => (/^\d+:\d+$/.test(params.get(name) ?? "") ? params.get(name) : null);
  return {
    form: params.get("form") === "table" ? "table" : "lines", isWrapped: params.get("wrap") !== "0",
    order: params.get("order") === "oldest" ? "oldest" : "newest", columns: params.get("columns"),
    at: place("at"), around: place("around"), isLive: params.get("live") === "1", zone,
  };
}
