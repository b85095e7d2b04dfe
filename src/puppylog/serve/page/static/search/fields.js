// Chooses the fields whose values are counted.
import { dialog } from "../lib/dialog.js";
import { fill, h, logText, visible } from "../lib/dom.js";

const MAX_ROWS = 300;

/**
 * @param {import("./facets.js").Field[]} fields
 * @param {string[]} chosen names, in the order in which they are shown
 * @param {(names: string[]) => void} onChoose
 */
export function openFields(fields, chosen, onChoose) {
  const names = new Set(chosen);
  const list = h("ul", { class: "fields-list" });
  const input = h("input", { type: "text", class: "fields-search", placeholder: "Find a field", aria: { label: "Find a field" }, on: { input: show } });
  const left = h("p", { class: "quiet", role: "status" });

  function show() {
    const wanted = input.value.trim().toLowerCase();
    const all = [...fields, ...chosen.filter((name) => !fields.some((field) => field.name === name)).map((name) => ({ name, kind: "", share: 0, distinct: 0, examples: [], is_facet: true }))];
    const found = all.filter((field) => field.name.toLowerCase().includes(wanted) || field.examples.some((example) => String(example).toLowerCase().includes(wanted)));
    fill(list, found.slice(0, MAX_ROWS).map(makeRow));
    left.textContent = found.length > MAX_ROWS ? `${MAX_ROWS} of ${found.length} fields are shown.` : found.length ? "" : "There is no such field.";
  }

  /** @param {import("./facets.js").Field} field */
  function makeRow(field) {
    const box = h("input", { type: "checkbox", checked: names.has(field.name), on: { change: toggle } });
    function toggle() {
      if (box.checked) names.add(field.name);
      else names.delete(field.name);
      onChoose([...names]);
    }
    const share = field.share >= 0.995 ? "all records" : `${field.share < 0.01 ? "<1" : Math.round(field.share * 100)} %`;
    const examples = field.examples.slice(0, 3).map((example, index) => [index ? ", " : "", logText(String(example).slice(0, 60))]);
    return h("li", null, h("label", null, box, h("span", { class: "field-name", dir: "auto" }, visible(field.name)), h("span", { class: "field-share" }, field.share ? share : ""), h("span", { class: "field-examples" }, examples)), field.is_facet ? null : h("span", { class: "field-many quiet" }, "many values"));
  }

  show();
  dialog({ title: "Fields whose values are counted", class: "fields-dialog", isSheet: true, body: [input, left, list] });
  input.focus();
}
