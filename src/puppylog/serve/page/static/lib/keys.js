/** Keys of the page: one key, or two in a row such as "g a". All are listed by "?". */

/** @typedef {{keys: string, label: string, fn: (event: KeyboardEvent) => void, group: string, inText: boolean}} Binding */

/** @type {Set<Binding>} */
const bindings = new Set();
const PAUSE_MS = 1200;
let first = "";
let firstAt = 0;

/**
 * Call a function when keys are pressed. A later binding of the same keys wins while it lasts.
 * @param {string} keys such as "g a", "/", "Escape", "Ctrl+Enter" (Ctrl is also the Mac's Command), "Shift+ArrowLeft"
 * @param {string} label what it does, for the help @param {(event: KeyboardEvent) => void} fn
 * @param {{group?: string, inText?: boolean}} [options] group: heading in the help; inText: also while text is typed
 * @returns {() => void} stops it
 */
export function bind(keys, label, fn, { group = "Everywhere", inText = false } = {}) {
  const binding = { keys, label, fn, group, inText };
  bindings.add(binding);
  return () => bindings.delete(binding);
}

/** All bindings, by group. @returns {Map<string, Binding[]>} */
export function list() {
  const groups = new Map();
  for (const binding of bindings) groups.set(binding.group, [...(groups.get(binding.group) ?? []), binding]);
  return groups;
}

/** Whether a key would become text where the focus is. @param {EventTarget | null} target */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "range"].includes(target.type);
}

/** The name of a pressed key, as `bind` takes it. @param {KeyboardEvent} event */
function nameOf(event) {
  const isCharacter = event.key.length === 1;
  const shift = event.shiftKey && (!isCharacter || /[A-Za-z]/.test(event.key) && (event.ctrlKey || event.metaKey)) ? "Shift+" : "";
  if (event.getModifierState("AltGraph")) return event.key; // a character, whatever makes it on this keyboard
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift}${event.key}`;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
  const name = nameOf(event);
  const typing = isTyping(event.target);
  const inDialog = document.querySelector("dialog[open]") !== null;
  const sequence = first && performance.now() - firstAt < PAUSE_MS ? `${first} ${name}` : "";
  const usable = [...bindings].reverse().filter((one) => (typing || inDialog ? one.inText && !inDialog : true));
  const found = usable.find((one) => one.keys === sequence) ?? usable.find((one) => one.keys === name);
  first = "";
  if (found) {
    event.preventDefault();
    found.fn(event);
  } else if (usable.some((one) => one.keys.startsWith(`${name} `))) {
    first = name;
    firstAt = performance.now();
  }
});
