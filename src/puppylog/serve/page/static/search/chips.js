// The conditions on fields that the query has, each with a button that removes it.
import { fill, h, icon, visible } from "../lib/dom.js";
import { readChosen } from "./query.js";

const MAX_SHOWN = 80;

/**
 * @param {Element} container
 * @param {import("./condition.js").Search} search
 */
export function openChips(container, search) {
  function show() {
    const tests = (readChosen(search.condition().q ?? "") ?? []).filter((test) => test.kind !== "word");
    const { group } = search.condition();
    fill(container, group && makeChip({ text: `group ${group}`, isNegated: false }, search.removeGroup), tests.map((test) => makeChip(test)));
    /** @type {HTMLElement} */ (container).hidden = !tests.length && !group;
  }

  /** @param {{text: string, isNegated: boolean}} test @param {() => void} [remove] */
  function makeChip(test, remove) {
    const text = visible(test.text.length > MAX_SHOWN ? `${test.text.slice(0, MAX_SHOWN)}…` : test.text);
    const term = `${test.isNegated ? "-" : ""}${test.text}`;
    function removeIt() {
      if (remove) remove();
      else search.removeTerm(term);
      container.querySelector("button")?.focus();
    }
    const button = h("button", { type: "button", aria: { label: `Remove ${test.isNegated ? "not " : ""}${text}` }, title: "Remove", on: { click: removeIt } }, icon("close"));
    return h("li", { class: test.isNegated ? "chip is-negated" : "chip" }, test.isNegated && h("b", null, "not"), h("span", { dir: "ltr", title: visible(term) }, text), button);
  }

  return { show };
}
