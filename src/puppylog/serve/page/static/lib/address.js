/**
 * The address is the state: `#/search?q=…&since=1h`, `#/metrics/NAME?…`.
 * @typedef {{view: string, name: string | null, params: URLSearchParams}} Address
 * @typedef {{view?: string, name?: string | null, params?: Record<string, any>}} Change
 */

/** @type {Set<(address: Address) => void>} */
const listeners = new Set();
const KEPT_EVERYWHERE = ["tz"];

/** @returns {Address} */
export function read() {
  const [path, query = ""] = split(location.hash.replace(/^#\/?/, ""));
  const [view = "", ...rest] = path.split("/");
  return { view: decode(view) || "search", name: rest.length ? decode(rest.join("/")) : null, params: new URLSearchParams(query) };
}

/** @param {string} text */
function split(text) {
  const at = text.indexOf("?");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that was typed by hand
  }
}

/**
 * The address after a change. With `keep` (and the same view) the parameters that are not named stay; a parameter
 * that is null or "" is removed; a list gives a parameter many times.
 * @param {Change} change @param {{keep?: boolean}} [options] @returns {string} "#/…"
 */
export function href(change, { keep = false } = {}) {
  const now = read();
  const view = change.view ?? now.view;
  const name = change.name === undefined && keep && view === now.view ? now.name : change.name ?? null;
  const params = new URLSearchParams(keep ? now.params : []);
  for (const key of KEPT_EVERYWHERE) if (now.params.has(key)) params.set(key, now.params.get(key) ?? "");
  for (const [key, value] of Object.entries(change.params ?? {})) {
    params.delete(key);
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== null && one !== undefined && one !== "" && one !== false) params.append(key, one === true ? "1" : String(one));
  }
  const path = [view, ...(name === null || name === "" ? [] : [name])].map(encodeURIComponent).join("/");
  const query = params.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
  return `#/${path}${query ? `?${query}` : ""}`;
}

/**
 * Go there. The parameters that are not named stay if the view does. `replace` makes no entry in the history.
 * @param {Change} change @param {{replace?: boolean, keep?: boolean}} [options]
 */
export function go(change, { replace = false, keep = change.view === undefined || change.view === read().view } = {}) {
  const target = href(change, { keep });
  if (target === location.hash) return;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  tell();
}

/** Call a function with the address whenever it has changed. @param {(address: Address) => void} fn @returns {() => void} stops it */
export function onChange(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

let told = location.hash;

function tell() {
  told = location.hash;
  const address = read();
  for (const fn of [...listeners]) fn(address);
}

for (const type of ["popstate", "hashchange"])
  addEventListener(type, () => {
    if (location.hash !== told) tell();
  });
