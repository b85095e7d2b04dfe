// The conditions on fields that the query has, each with a button that removes it.
import { fill, h, icon, visible } from "../lib/dom.js";
import { readChosen } from "./query.js";

const MAX_SHOWN = 80;

/**
 * @param {Element} place
 * @param {import("./condition.js").Search} search
 */
export function openChips(place, search) {
  function show() {
    const tests = (readChosen(search.condition().q ?? "") ?? []).filter((test) => test.kind !== "word");
    fill(place, tests.map(makeChip));
    /** @type {HTMLElement} */ (place).hidden = !tests.length;
  }

  /** @param {import("./scan.js").Test} test */
  function makeChip(test) {
    const text = visible(test.text.length > MAX_SHOWN ? `${test.text.slice(0, MAX_SHOWN)}…` : test.text);
    const term = `${test.isNegated ? "-" : ""}${test.text}`;
    const remove = h("button", { type: "button", aria: { label: `Remove ${test.isNegated ? "not " : ""}${text}` }, title: "Remove", on: { click: () => search.removeTerm(term) } }, icon("close"));
    return h("li", { class: test.isNegated ? "chip is-negated" : "chip" }, test.isNegated && h("b", null, "not"), h("span", { dir: "ltr", title: visible(term) }, text), remove);
  }

  return { show };
}
