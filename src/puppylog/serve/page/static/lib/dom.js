/**
 * Elements from values. Text is always a text node: nothing here or elsewhere in the page parses markup.
 * @typedef {Node | string | number | null | undefined | false | any[]} Child a list has children, too
 * @typedef {Record<string, any>} Props
 */

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "indeterminate", "selected", "open", "inert"]);
const ADDRESSES = new Set(["href", "src", "action", "formaction"]);
const SAFE_ADDRESS = /^(#|https?:\/\/|mailto:|api\/|blob:|\.?\/)/i;

/**
 * Make an element. See PAGE: props are attributes, but `class`, `aria: {label}`, `data: {key}`, `on: {click}` and
 * `style: {width: "3px"}`. null, undefined and false leave an attribute out; true gives it no value.
 * @param {string} tag @param {Props | null} [props] @param {...Child} children @returns {any}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  element.append(...flatten(children));
  return element;
}

/** @param {any} element @param {string} name @param {any} value */
function setProp(element, name, value) {
  if (value === null || value === undefined) return;
  if (name === "on") for (const [type, fn] of Object.entries(value)) element.addEventListener(type, fn);
  else if (name === "aria") for (const [key, text] of Object.entries(value)) setAttribute(element, `aria-${key}`, text);
  else if (name === "data") for (const [key, text] of Object.entries(value)) setAttribute(element, `data-${key}`, text);
  else if (name === "style") for (const [key, text] of Object.entries(value)) setStyle(element, key, text);
  else if (PROPERTIES.has(name)) element[name] = value;
  else setAttribute(element, name, value);
}

/** @param {any} element @param {string} name @param {string} text */
function setStyle(element, name, text) {
  if (name.startsWith("--")) element.style.setProperty(name, text);
  else element.style[name] = text;
}

/** @param {Element} element @param {string} name @param {any} value */
function setAttribute(element, name, value) {
  if (value === null || value === undefined) return;
  const isAria = name.startsWith("aria-");
  if (!isAria && value === false) return;
  if (/^on|^srcdoc$/i.test(name)) throw new TypeError(`cannot set ${name}: use on: {…}`);
  const text = value === true && !isAria ? "" : String(value);
  if (ADDRESSES.has(name) && !SAFE_ADDRESS.test(text)) throw new TypeError(`cannot set ${name}: not an address of the web`);
  element.setAttribute(name, text);
}

/** @param {Child[]} children @returns {(Node | string)[]} */
function flatten(children) {
  return /** @type {any[]} */ (children.flat(Infinity))
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** Replace the children of an element; returns the element. @param {Element} parent @param {...Child} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...flatten(children));
  return parent;
}

// Paths in a square of 16. Each is drawn as a line.
const ICONS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3 14 14",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.5V8l2.5 1.5",
  left: "M10 3 5 8l5 5", right: "M6 3l5 5-5 5", up: "M3 10l5-5 5 5", down: "M3 6l5 5 5-5",
  out: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3 14 14M5 7h4",
  refresh: "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3", close: "M4 4l8 8M12 4l-8 8", check: "M3 8.5 6.5 12 13 4.5",
  plus: "M8 3v10M3 8h10", minus: "M3 8h10", more: "M3.5 8h.01M8 8h.01M12.5 8h.01", menu: "M2 4h12M2 8h12M2 12h12",
  sun: "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5", auto: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
  help: "M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1.1M8 11.5h.01M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8",
  play: "M5 3v10l8-5z", pause: "M5.5 3v10M10.5 3v10", stop: "M4 4h8v8H4z", bell: "M4 11V7a4 4 0 0 1 8 0v4l1 1H3zM7 14h2",
  mute: "M4 11V7a4 4 0 0 1 8 0v4l1 1H3zM7 14h2M2 2l12 12", download: "M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3", link: "M7 9a2.5 2.5 0 0 0 3.6 0l2-2A2.5 2.5 0 0 0 9 3.500l-.8.8M9 7a2.5 2.5 0 0 0-3.600 0l-2 2A2.5 2.5 0 0 0 7 12.500l.8-.8",
  user: "M8 3a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M3 13.5c.5-2.5 2.5-3.5 5-3.500s4.5 1 5 3.5", wrap: "M2 4h12M2 8h9a2.5 2.5 0 0 1 0 5H9M10.5 11.5 9 13l1.5 1.500M2 12h4",
  warning: "M8 2.5 14 13H2zM8 6.500v3M8 11.200h.01", columns: "M2 3h12v10H2zM6.5 3v10M10.5 3v10", filter: "M2 3h12L9.5 8.500V13l-3-1.500v-3z",
  list: "M5.5 4H14M5.5 8H14M5.5 12H14M2.5 4h.01M2.5 8h.01M2.5 12h.01", tag: "M2 3v5l5.5 5.500L13 8 7.5 2.500H2.500zM5 5.500h.01",
};

/** An icon, hidden from screen readers: its button needs a label. @param {keyof typeof ICONS} name @returns {SVGElement} */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name] ?? "");
  for (const [key, value] of [["viewBox", "0 0 16 16"], ["class", "icon"], ["aria-hidden", "true"], ["focusable", "false"]])
    svg.setAttribute(key, value);
  svg.append(path);
  return svg;
}

/** A button with an icon and a label that screen readers and tooltips tell. @param {keyof typeof ICONS} name
 * @param {string} label @param {(event: MouseEvent) => void} onClick @param {Props} [props] @returns {HTMLButtonElement} */
export function iconButton(name, label, onClick, props = {}) {
  return h("button", { type: "button", class: "icon-button", title: label, aria: { label }, on: { click: onClick }, ...props }, icon(name));
}

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text in which control characters are shown as pictures, such as ␛. Tabs and line ends stay. @param {any} text */
export function visible(text) {
  return String(text).replace(CONTROLS, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return code < 0x100 ? `\u27e8${code.toString(16).toUpperCase()}\u27e9` : `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}

/** Text of a log: direction of its own, and control characters as pictures. @param {any} text @param {Props} [props] */
export function logText(text, props = {}) {
  const { class: name, ...rest } = props;
  return h("bdi", { dir: "auto", class: name ? `log ${name}` : "log", ...rest }, visible(text));
}
