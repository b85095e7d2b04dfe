/** What the page keeps in this browser: the theme, last queries, a name. Where storage is forbidden or full, nothing. */

const PREFIX = "puppylog-";
const THEME = "theme"; // theme.js reads it, too

/** @param {string} name @returns {string | null} */
export function read(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string | null} value null removes it */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Forbidden or full: it lasts as long as the page.
  }
}

/** Remove all but the theme. */
export function forget() {
  try {
    for (const key of Object.keys(localStorage))
      if (key.startsWith(PREFIX) && key !== PREFIX + THEME) localStorage.removeItem(key);
  } catch {
    // Forbidden: there is nothing.
  }
}
