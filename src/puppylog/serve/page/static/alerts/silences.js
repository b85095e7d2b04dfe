// The silences of the present and the future, with a button that ends each.
import { fill, h, icon, logText } from "../lib/dom.js";
import { keyed } from "../lib/keyed.js";
import * as times from "../lib/times.js";
import { actionButton, endSilence, markRefused } from "./actions.js";

/** @typedef {import("./condition.js").Silence} Silence */

/** @param {import("./actions.js").Context} context @param {(silence: Silence) => boolean} [isShown] */
export function silencesPanel(context, isShown = () => true) {
  const list = h("ul", { class: "silences" });
  const node = h("section", { class: "stack", hidden: true }, h("h2", null, "Silences"), list);
  const show = keyed(list, (/** @type {Silence} */ silence) => silence.name, (silence) => makeSilence(context, silence));
  return {
    node,
    /** @param {Silence[]} silences */
    update(silences) {
      const now = Date.now();
      const shown = silences.filter((one) => times.toMs(one.ends_at) > now && isShown(one));
      node.hidden = shown.length === 0;
      show(shown);
      for (const button of list.querySelectorAll("button")) markRefused(button, context);
    },
  };
}

/** @param {import("./actions.js").Context} context @param {Silence} first */
function makeSilence(context, first) {
  let silence = first;
  const text = h("div", { class: "grow" });
  const end = actionButton(context, "End", `End the silence ${first.name}`, () => endSilence(context, silence));
  const declared = h("span", { class: "quiet" }, "from the configuration file");
  const node = h("li", null, icon("mute"), text, end, declared);
  /** @param {Silence} next */
  function update(next) {
    silence = next;
    const isFuture = times.toMs(silence.starts_at) > Date.now();
    const until = [isFuture && ["from ", times.timeElement(silence.starts_at, { seconds: false }), " "], "until ", times.timeElement(silence.ends_at, { seconds: false })];
    const segment = silence.segment === "*" ? null : [" [", logText(silence.segment), "]"];
    end.hidden = silence.is_declared === true;
    declared.hidden = !end.hidden;
    fill(text, h("strong", null, silence.alert === "*" ? "All alerts" : logText(silence.alert)), segment, " ", until, h("div", { class: "quiet" }, silence.comment && [logText(silence.comment), " · "], logText(silence.author)));
  }
  update(first);
  return { node, update };
}
