// What a person does about an alert: acknowledge it, silence it, end a silence.
import * as api from "../lib/api.js";
import { confirm, dialog } from "../lib/dialog.js";
import { fill, h, visible } from "../lib/dom.js";
import * as kept from "../lib/kept.js";
import * as numbers from "../lib/numbers.js";
import * as times from "../lib/times.js";
import { isProblem, matchesPattern } from "./condition.js";

/**
 * @typedef {import("./condition.js").AlertRow} AlertRow
 * @typedef {import("./condition.js").Silence} Silence
 * @typedef {object} Context what the actions need of the view
 * @property {any} app
 * @property {() => AlertRow[]} rows all alerts as they are known now
 * @property {() => void} refresh asks for the alerts again
 * @property {() => string | null} refusal why this reader may change nothing; null if it may
 */

const MAX_TEXT = 500;

/**
 * A button that changes the store. If the reader may not, the button says why when it is pressed.
 * @param {Context} context
 * @param {import("../lib/dom.js").Child} content
 * @param {string} label
 * @param {() => void} act
 */
export function actionButton(context, content, label, act) {
  const button = h("button", { type: "button", class: "small", aria: { label } }, content);
  button.addEventListener("click", () => {
    const refusal = context.refusal();
    if (refusal) context.app.toast(refusal);
    else act();
  });
  markRefused(button, context);
  return button;
}

/** Brings a button up to date with what the reader may do. @param {HTMLElement} button @param {Context} context */
export function markRefused(button, context) {
  const refusal = context.refusal();
  button.setAttribute("aria-disabled", String(refusal !== null));
  button.title = refusal ?? "";
}

/** @param {Context} context @param {AlertRow} row */
export function acknowledge(context, row) {
  const comment = textField("Comment", "I look after it", "");
  const author = authorField();
  form({
    title: `Acknowledge ${subject(row)}`,
    action: "Acknowledge",
    body: [
      h("p", { class: "quiet" }, "Others see that the problem is known, and contacts are not told of it again until it ends."),
      comment.node,
      author.node,
    ],
    async send() {
      const body = { segment: row.segment, comment: comment.value(), ...author.body() };
      const { acknowledged } = await api.post(`alerts/${encodeURIComponent(row.name)}/acknowledge`, body);
      context.app.toast(acknowledged ? `Acknowledged ${subject(row)}` : `${subject(row)} has no problem any more; nothing to acknowledge`);
      context.refresh();
    },
  });
}

/** @param {Context} context @param {{alert: string, segment: string}} what patterns of the alerts and of their segments */
export function silence(context, what) {
  const [alert, segment] = [textField("Alert", "", what.alert), textField("Segment", "", what.segment)];
  const [comment, author, until] = [textField("Comment", "why", ""), authorField(), untilField()];
  const preview = h("p", { class: "quiet", aria: { live: "polite" } });
  const tell = () => fill(preview, describeMatches(context.rows(), alert.value(), segment.value()));
  for (const field of [alert, segment]) field.input.addEventListener("input", tell);
  tell();
  form({
    title: "Silence",
    action: "Silence",
    body: [
      h("p", { class: "quiet" }, "Messages are held back for a time. The alerts are still judged. In a pattern, * is any text and ? is any character."),
      h("div", { class: "form-pair" }, alert.node, segment.node),
      preview,
      until.node,
      comment.node,
      author.node,
    ],
    async send() {
      const body = { alert: alert.value(), segment: segment.value(), comment: comment.value(), ...until.body(), ...author.body() };
      const made = await api.post("silences", body);
      context.app.toast(`Silenced until ${times.format(made.ends_at, { seconds: false })}`);
      context.refresh();
    },
  });
}

/** @param {Context} context @param {Silence} silence */
export async function endSilence(context, silence) {
  const text = `Contacts are told again of ${silence.alert === "*" ? "all alerts" : silence.alert}, also of what was held back and is still true.`;
  if (!(await confirm({ title: `End the silence ${silence.name}?`, text, action: "End the silence" }))) return;
  try {
    await api.del(`silences/${encodeURIComponent(silence.name)}`);
    context.app.toast(`Ended the silence ${silence.name}`);
  } catch (error) {
    context.app.toast(/** @type {Error} */ (error).message);
  }
  context.refresh();
}

/** @param {AlertRow} row */
const subject = (row) => (row.segment === null ? row.name : `${row.name} [${visible(row.segment_name ?? row.segment)}]`);

/** @param {AlertRow[]} rows @param {string} alert @param {string} segment */
function describeMatches(rows, alert, segment) {
  const found = rows.filter((row) => matchesPattern(alert, row.name) && matchesPattern(segment, row.segment));
  const names = new Set(found.map((row) => row.name));
  if (!names.size) return "It holds back nothing that is judged now.";
  const problems = found.filter(isProblem).length;
  if (found.length === 1) return `It holds back messages of 1 alert, which has ${problems ? "a" : "no"} problem now.`;
  const ofSegments = found.length > names.size ? `, ${numbers.plural(found.length, "segment")}` : "";
  return `It holds back messages of ${numbers.plural(names.size, "alert")}${ofSegments}; ${problems || "none"} of them ${problems === 1 ? "has" : "have"} a problem now.`;
}

/**
 * A dialog with fields that sends them. A refusal stays in the dialog, with what was typed.
 * @param {{title: string, action: string, body: any[], send: () => Promise<void>}} options
 */
function form({ title, action, body, send }) {
  const fault = h("p", { class: "form-error", role: "alert" });
  const submit = h("button", { type: "submit", class: "primary" }, action);
  const element = h(
    "form",
    { class: "form", method: "dialog" },
    body,
    fault,
    h("div", { class: "form-actions" }, h("button", { type: "button", on: { click: () => shown.close() } }, "Cancel"), submit),
  );
  element.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    submit.disabled = true;
    fill(fault);
    try {
      await send();
      shown.close();
    } catch (error) {
      const { message, advice } = /** @type {api.ApiError} */ (error);
      fill(fault, message, advice ? ` ${advice}` : "");
    }
    submit.disabled = false;
  });
  const shown = dialog({ title, body: element });
  element.querySelector("input[type=text]:not([data-first=no])")?.focus();
}

/** @param {string} label @param {string} placeholder @param {string} value */
function textField(label, placeholder, value) {
  const input = h("input", { type: "text", placeholder, value, maxlength: MAX_TEXT, dir: "auto" });
  return { input, node: h("label", { class: "field" }, label, input), value: () => input.value.trim() };
}

/** The author's name, which this browser remembers. Without one, the server takes the token's name. */
function authorField() {
  const field = textField("Your name", "as others know you", kept.read("author") ?? "");
  return {
    node: field.node,
    body() {
      kept.keep("author", field.value());
      return field.value() ? { author: field.value() } : {};
    },
  };
}

/** The end of a silence: after some time, tomorrow, or at an instant. */
function untilField() {
  const isUtc = times.zone() === "UTC";
  const at = h("input", { type: "datetime-local", aria: { label: `End, ${isUtc ? "UTC" : "your time"}` } });
  /** @type {[string, string, () => object][]} */
  const choices = [
    ["1h", "for 1 hour", () => ({ for_s: 3600 })],
    ["4h", "for 4 hours", () => ({ for_s: 4 * 3600 })],
    ["tomorrow", "until tomorrow, 8:00", () => ({ ends_at: tomorrow(isUtc).toISOString() })],
    ["at", "until", () => ({ ends_at: new Date(isUtc ? `${at.value}Z` : at.value).toISOString() })],
  ];
  const name = `until-${Math.random().toString(36).slice(2)}`;
  const radios = choices.map(([value], index) => h("input", { type: "radio", name, value, checked: index === 0 }));
  at.addEventListener("input", () => (radios[3].checked = true));
  at.value = times.format(Date.now() + 86_400_000, { seconds: false }).replace(" ", "T");
  const node = h(
    "fieldset",
    { class: "choices" },
    h("legend", null, "How long"),
    choices.map(([, label], index) => h("div", null, h("label", null, radios[index], ` ${label}`), index === 3 ? at : null)),
  );
  return { node, body: () => choices[radios.findIndex((radio) => radio.checked)][2]() };
}

/** @param {boolean} isUtc */
function tomorrow(isUtc) {
  const day = new Date();
  if (isUtc) day.setUTCHours(24 + 8, 0, 0, 0);
  else day.setHours(24 + 8, 0, 0, 0);
  return day;
}
