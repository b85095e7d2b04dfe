/** Short messages: for screen readers, as toasts, and the banner below the top bar. */
import { fill, h, icon, iconButton } from "./dom.js";

const TOAST_MS = 6000;

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Tell screen readers, and show nothing. @param {string} text */
export function say(text) {
  const container = element("say");
  if (container.textContent === text) text += "\u00a0"; // the same text again is a change, too
  fill(container, text);
}

/** Show a message for some seconds. @param {string} text @param {{isError?: boolean, action?: {label: string, fn: () => void}}} [options] */
export function toast(text, { isError = false, action } = {}) {
  const shown = h(
    "div",
    { class: isError ? "toast is-error" : "toast" },
    isError && icon("warning"), h("span", null, text),
    action && h("button", { type: "button", on: { click: () => { shown.remove(); action.fn(); } } }, action.label),
    iconButton("close", "Close the message", () => shown.remove()),
  );
  element("toasts").append(shown);
  let timer = setTimeout(() => shown.remove(), TOAST_MS);
  shown.addEventListener("mouseenter", () => clearTimeout(timer));
  shown.addEventListener("mouseleave", () => (timer = setTimeout(() => shown.remove(), TOAST_MS / 2)));
}

/** Show a message below the top bar until it is replaced; null removes it. @param {string | null} text
 * @param {{kind?: "warning" | "info", action?: import("./dom.js").Child}} [options] */
export function banner(text, { kind = "warning", action } = {}) {
  const container = element("banner");
  if (text === null) return void fill(container);
  if (container.firstElementChild?.getAttribute("data-text") === text) return;
  fill(container, h("div", { class: `banner is-${kind}`, data: { text } }, icon("warning"), h("span", null, text), action));
}
