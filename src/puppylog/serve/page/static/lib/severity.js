/** Severities and classes of status codes: their order, their colours and a sign for those who see no colours. */
import { h } from "./dom.js";

export const SEVERITIES = ["trace", "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** The variable with the colour of a severity or a status class. @param {string | null | undefined} name */
export function color(name) {
  if (name && SEVERITIES.includes(name)) return `var(--sev-${name})`;
  const status = { 1: "debug", 2: "info", 3: "notice", 4: "warning", 5: "error" }[String(name)[0]];
  return /^[1-5](xx|\d\d)$/.test(String(name)) ? `var(--sev-${status})` : "var(--text-quiet)";
}

/** The colour of a severity's bars: what is no trouble is pale, so that errors are seen among it.
 * @param {string | null | undefined} name */
export function barColor(name) {
  const isQuiet = !name || /^([123](xx|\d\d)|trace|debug|info|notice)$/.test(name);
  return isQuiet ? `color-mix(in srgb, ${color(name)} 70%, var(--bg-raised))` : color(name); // 3:1 on the background
}

/** A severity as a short word in its colour. @param {string | null | undefined} name */
export function severityTag(name) {
  if (!name) return null;
  return h("span", { class: "severity", data: { severity: name }, style: { color: color(name) } }, name);
}
