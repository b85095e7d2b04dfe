// A list of choices whose value is a parameter of the address.
import { h, visible } from "../lib/dom.js";

/**
 * @param {any} app
 * @param {string} name of the parameter
 * @param {string} label
 * @param {string[][]} options values and texts; "" is the parameter left out
 * @returns {HTMLSelectElement & {update: () => void}} update: call it when the address has changed
 */
export function makeChoice(app, name, label, options) {
  const select = h("select", { aria: { label }, on: { change: () => app.address.go({ params: { [name]: select.value } }) } }, options.map(([value, text]) => h("option", { value }, text)));
  select.update = () => {
    const value = app.address.read().params.get(name) ?? "";
    if (!options.some((option) => option[0] === value)) {
      options.push([value, value]);
      select.append(h("option", { value }, visible(value)));
    }
    select.value = value;
  };
  return select;
}
