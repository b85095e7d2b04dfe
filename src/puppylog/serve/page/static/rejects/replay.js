/**
 * Reading rejected lines again with another format: first a trial that changes nothing, then for real.
 */

import { fill, h } from "../lib/dom.js";
import { count } from "../lib/numbers.js";
import { writeCommand } from "./excerpt.js";

/** Formats to choose from, all of `puppylog formats`. Any other name may be typed, or a layout or a pattern. */
export const FORMATS = [
  "auto", "access", "common", "combined", "vhost_combined", "w3c", "json", "cri", "syslog", "apache_error", "nginx_error",
  "postgresql", "haproxy", "envoy", "csv", "zeek", "logfmt", "plain",
];

const NEEDS_ADMIN = "Reading lines again changes the store, so it needs a token of scope admin. "
  + "The command below does the same on the machine of the store.";

/**
 * @param {any} app
 * @param {{copy: (text: string) => void, onStored: () => void}} page
 * @returns {{node: HTMLElement, setWish: (wish: any) => void}}
 */
export function replayPanel(app, { copy, onStored }) {
  let wish = /** @type {any} */ ({});
  let tried = null; // the command of the last trial
  const input = h("input", {
    type: "text",
    id: "replay-format",
    list: "replay-formats",
    placeholder: "that of each source",
    autocomplete: "off",
    spellcheck: "false",
    on: { input: () => refresh() },
  });
  const options = h("datalist", { id: "replay-formats" }, FORMATS.map((name) => h("option", { value: name })));
  const about = h("p", { class: "quiet" });
  const command = h("code", { class: "command-text" });
  const copyButton = h("button", { type: "button", on: { click: () => copy(command.textContent) } }, "Copy command");
  const tryButton = h("button", { type: "button", class: "primary", on: { click: () => run(true) } }, "Try");
  const storeButton = h("button", { type: "button", disabled: true, on: { click: () => run(false) } }, "Store as records");
  const result = h("div", { class: "replay-result", role: "status" });

  const body = () => {
    const { q, reason, source, group, since, until, tz } = wish;
    const all = { q, reason, source, group, since, until, tz, format: input.value.trim() || null };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
  };

  function refresh() {
    const isTried = tried === JSON.stringify(body());
    storeButton.disabled = !isTried;
    command.textContent = writeCommand({ ...body(), is_dry: !isTried });
    if (!isTried && app.mayChange()) fill(result);
  }

  async function run(is_dry) {
    const asked = body();
    tryButton.disabled = storeButton.disabled = true;
    fill(result, h("p", { class: "quiet" }, is_dry ? "Reading the lines…" : "Storing…"));
    try {
      const answer = await app.api.post("rejects/replay", { ...asked, is_dry });
      tried = is_dry && answer.became_records ? JSON.stringify(asked) : null;
      refresh();
      fill(result, say(answer, is_dry));
      if (!is_dry) onStored();
    } catch (error) {
      fill(result, h("p", { class: "error-text" }, explain(error)));
    } finally {
      tryButton.disabled = false;
    }
  }

  const node = h(
    "details",
    { class: "replay" },
    h("summary", {}, "Read these lines again…"),
    about,
    h(
      "div",
      { class: "replay-form" },
      h("label", { for: "replay-format" }, "Format"),
      input,
      options,
      tryButton,
      storeButton,
    ),
    result,
    h("p", { class: "quiet" }, "The same in a terminal:"),
    h("div", { class: "command-line" }, command, copyButton),
  );
  if (!app.mayChange()) {
    tryButton.disabled = input.disabled = true;
    fill(result, h("p", {}, NEEDS_ADMIN));
  }
  return {
    node,
    setWish(next) {
      wish = next;
      fill(about, describe(next));
      refresh();
    },
  };
}

/** Say in a sentence which lines are read again. */
function describe({ q, reason, source, group }) {
  const parts = [];
  if (reason) parts.push(`with the reason “${reason}”`);
  if (source) parts.push(`of ${source}`);
  if (group) parts.push(`of the group ${group}`);
  if (q) parts.push(`that ${q} finds`);
  const which = parts.length ? `The rejected lines ${parts.join(", ")}` : "All rejected lines";
  return `${which} are read with the format below, or without one with the format of their source. “Try” changes nothing. `
    + "A line that fits becomes a record at its place, exactly once; any other line stays a rejected line. “auto” and “plain” fit every line.";
}

function say({ lines, became_records, still_rejected, reasons }, is_dry) {
  const verb = is_dry ? "would become records" : "are records now";
  const sentence = lines === 0
    ? "No rejected line matches."
    : `${count(became_records)} of ${count(lines)} lines ${verb}.`;
  const rest = still_rejected ? h("p", {}, `${count(still_rejected)} ${is_dry ? "would stay" : "stay"} rejected lines:`) : null;
  const list = (reasons ?? []).map((reason) => h("li", {}, `${count(reason.lines)} `, h("span", { dir: "auto" }, reason.reason)));
  return [h("p", { class: "replay-sentence" }, sentence), rest, list.length ? h("ul", {}, list) : null];
}

function explain(error) {
  if (error.status === 403) {
    return `${error.message}. ${NEEDS_ADMIN}`;
  }
  return error.advice ? `${error.message}; ${error.advice}` : error.message;
}
