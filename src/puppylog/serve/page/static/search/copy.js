// Copies text to the clipboard, also where the page has no secure connection and so no clipboard of its own.

/** @param {string} text @param {string} what for the message: "The line" @param {(text: string) => void} say */
export async function copyText(text, what, say) {
  const done = (await write(text)) || select(text);
  say(done ? `${what} is copied.` : `${what} cannot be copied: the browser does not allow it.`);
}

/** @param {string} text */
async function write(text) {
  if (!navigator.clipboard) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not allowed, or the page is not in front
  }
}

/** @param {string} text */
function select(text) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const area = document.createElement("textarea");
  area.className = "visually-hidden";
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
  return done;
}
