/**
 * The statements that were run in this browser, the newest first. They stay in the browser.
 */

const KEY = "puppylog-sql";
const MOST = 50;
const MAX_CHARACTERS = 20_000;

/** @returns {string[]} */
export function list() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((text) => typeof text === "string") : [];
  } catch {
    return []; // storage is switched off, or another program wrote into it
  }
}

/** @param {string} sql */
export function add(sql) {
  if (sql.length > MAX_CHARACTERS) return;
  save([sql, ...list().filter((text) => text !== sql)].slice(0, MOST));
}

export function clear() {
  save([]);
}

function save(texts) {
  try {
    localStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // Without storage the statement is still in the address and in the browser's history.
  }
}
