/** Dialogs, built on the browser's own, which keeps the focus in them and gives it back. */
import { fill, h, iconButton } from "./dom.js";

/**
 * Open a dialog.
 * @param {object} options
 * @param {string} options.title
 * @param {import("./dom.js").Child} options.body
 * @param {import("./dom.js").Child} [options.actions] buttons at its end
 * @param {string} [options.class] @param {boolean} [options.isSheet] comes from the side (wide) or from below (narrow)
 * @param {boolean} [options.mayClose] false: neither Escape nor a button closes it
 * @param {() => void} [options.onClose]
 * @returns {{element: HTMLDialogElement, close: () => void, setBody: (body: import("./dom.js").Child) => void}}
 */
export function dialog({ title, body, actions = null, class: name = "", isSheet = false, mayClose = true, onClose }) {
  const id = `dialog-${(count += 1)}`;
  const content = h("div", { class: "dialog-body" }, body);
  const element = h(
    "dialog",
    { class: `${isSheet ? "sheet" : "dialog"} ${name}`, aria: { labelledby: id } },
    h("header", { class: "dialog-head" }, h("h2", { id, tabindex: -1, autofocus: true }, title), mayClose && iconButton("close", "Close", () => element.close())),
    content,
    actions && h("footer", { class: "dialog-actions" }, actions),
  );
  element.addEventListener("cancel", (/** @type {Event} */ event) => {
    if (!mayClose) event.preventDefault();
  });
  element.addEventListener("close", () => {
    element.remove();
    onClose?.();
  });
  element.addEventListener("mousedown", (/** @type {MouseEvent} */ event) => {
    if (mayClose && event.target === element && isOutside(element, event)) element.close();
  });
  document.body.append(element);
  element.showModal();
  return { element, close: () => element.close(), setBody: (next) => fill(content, next) };
}

let count = 0;

/** @param {HTMLElement} element @param {MouseEvent} event */
function isOutside(element, event) {
  const box = element.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

/**
 * Ask whether to go on. @param {{title: string, text: string, action: string, isDanger?: boolean}} options
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, action, isDanger = false }) {
  return new Promise((resolve) => {
    let answer = false;
    const decide = (/** @type {boolean} */ value) => {
      answer = value;
      shown.close();
    };
    const shown = dialog({
      title,
      body: h("p", null, text),
      actions: [
        h("button", { type: "button", on: { click: () => decide(false) } }, "Cancel"),
        h("button", { type: "button", class: isDanger ? "danger" : "primary", on: { click: () => decide(true) } }, action),
      ],
      onClose: () => resolve(answer),
    });
  });
}
