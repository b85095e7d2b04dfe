// Takes along what the search finds: as a file, or as the command that finds the same.

import * as api from "../lib/api.js";
import { menu } from "../lib/menu.js";
import { count, plural } from "../lib/numbers.js";
import { copyText } from "./copy.js";

const MOST = 10000; // records that the server answers at once
const FORMATS = /** @type {[string, string][]} */ ([["jsonl", "JSON lines"], ["csv", "CSV"]]);

/**
 * @param {HTMLButtonElement} button @param {{params: () => Record<string, any>, app: any, say: (text: string) => void}} options
 */
export function openDownload(button, { params, say }) {
  menu(button, () => [
    { heading: `The first ${count(MOST)} lines` },
    ...FORMATS.map(([format, label]) => ({ label: `Download as ${label}`, onSelect: () => download(params(), format, say) })),
    "line",
    { label: "Copy as a command", detail: "puppylog logs …", onSelect: () => copyText(commandOf(params()), "The command", say) },
  ]);
}

/** @param {Record<string, any>} params @param {string} format @param {(text: string) => void} say */
async function download(params, format, say) {
  try {
    const response = await fetch(api.url("records", { ...params, format, limit: MOST }), { credentials: "same-origin" });
    if (!response.ok) throw await api.readError(response);
    const body = await response.blob();
    save(body, `puppylog-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.${format}`);
    const lines = format === "jsonl" ? (await body.text()).split("\n").length - 1 : null;
    const isFull = lines === MOST;
    say(`${lines === null ? "The lines are" : `${plural(lines, "line")} ${lines === 1 ? "is" : "are"}`} downloaded.${isFull ? " There may be more: a narrower range has fewer, and puppylog export has no limit." : ""}`);
  } catch (error) {
    say(`The lines cannot be downloaded: ${/** @type {Error} */ (error).message}`);
  }
}

/** @param {Blob} body @param {string} name */
function save(body, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(body);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** The command that finds the same on the command line. @param {Record<string, any>} params */
export function commandOf({ q, since, until, group, tz, order }) {
  const parts = ["puppylog logs"];
  if (q) parts.push(quote(/^-/.test(q) ? `(${q})` : q));
  if (since) parts.push(`--from ${quote(since)}`);
  if (until) parts.push(`--to ${quote(until)}`);
  if (group) parts.push(`--group ${quote(group)}`);
  if (tz) parts.push(`--tz ${quote(tz)}`);
  if (order === "newest") parts.push("--reverse");
  return parts.join(" ");
}

/** A text as one word of a shell. @param {string} text */
function quote(text) {
  return /^[\w.:/@%+,-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}
