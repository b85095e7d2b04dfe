// The queries of this browser, the latest first. They stay in the browser's local storage.

const KEY = "puppylog-queries";
const MAX_QUERIES = 50;

/** @returns {string[]} */
export function readHistory() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((query) => typeof query === "string" && query) : [];
  } catch {
    return []; // storage is forbidden, or another page wrote into it
  }
}

/** @param {string[]} queries */
function write(queries) {
  try {
    localStorage.setItem(KEY, JSON.stringify(queries.slice(0, MAX_QUERIES)));
  } catch {
    // Storage is forbidden or full: the page works without a history.
  }
}

/** @param {string} query */
export function remember(query) {
  if (query.trim()) write([query, ...readHistory().filter((one) => one !== query)]);
}

/** @param {string} query */
export function forget(query) {
  write(readHistory().filter((one) => one !== query));
}

export function forgetAll() {
  write([]);
}
