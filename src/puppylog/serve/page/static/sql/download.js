/**
 * Downloading all rows of a statement as a file.
 */

import { h } from "../lib/dom.js";
import { bytes } from "../lib/numbers.js";

export const DOWNLOADS = [
  { label: "CSV", format: "csv", ending: "csv" },
  { label: "JSON lines", format: "jsonl", ending: "jsonl" },
  { label: "Arrow", format: "arrow", ending: "arrow" },
];

/**
 * @param {any} app
 * @param {{sql: string, format: string, signal: AbortSignal, onProgress: (text: string) => void}} wish
 * @returns {Promise<string>} the size of the file, in words
 * @throws {Error} the statement fails, or the connection ends before the end of the answer
 */
export async function download(app, { sql, format, signal, onProgress }) {
  const { ending = format } = DOWNLOADS.find((one) => one.format === format) ?? {};
  const response = await fetch(app.api.url("sql", { format }), {
    method: "POST",
    credentials: "same-origin",
    redirect: "error",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sql }),
    signal,
  });
  if (!response.ok) throw await app.api.readError(response);
  const parts = [];
  let size = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.byteLength;
    onProgress(`${bytes(size)} so far`);
  }
  save(new Blob(parts), `puppylog.${ending}`);
  return bytes(size);
}

/** @param {Blob} blob @param {string} name of the file */
function save(blob, name) {
  const target = URL.createObjectURL(blob);
  const link = h("a", { href: target, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(target), 60_000);
}
