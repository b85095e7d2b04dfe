/**
 * A rejected line around the column at which the format does not fit. Nothing here touches the document.
 */

const BEFORE = 120;
const AFTER = 280;

/**
 * @param {string} line
 * @param {number | null} column of the first character that does not fit, in characters (not UTF-16 units), from 0
 * @param {boolean} isWhole show all of the line
 * @returns {{hidden_before: number, before: string, at: string, after: string, hidden_after: number}} `at` is empty if
 *   the line ends before the format does, or if the column is not known; the counts are characters
 */
export function excerpt(line, column, isWhole) {
  const characters = [...line];
  const at = column === null ? null : Math.min(column, characters.length);
  const middle = at ?? 0;
  const start = isWhole ? 0 : Math.max(0, middle - BEFORE);
  const end = isWhole ? characters.length : Math.min(characters.length, middle + AFTER);
  const text = (from, to) => characters.slice(from, to).join("");
  const next = at === null ? middle : Math.min(at + 1, end);
  return {
    hidden_before: start,
    before: text(start, middle),
    at: at === null ? "" : text(middle, next),
    after: text(next, end),
    hidden_after: characters.length - end,
  };
}

/**
 * Write the command of the terminal that does what the page does.
 * @param {{q?: string, reason?: string, source?: string, group?: string, format?: string, is_dry: boolean}} wish
 */
export function writeCommand({ q, reason, source, group, format, is_dry }) {
  const words = ["puppylog", "rejects", "replay"];
  const options = { "--source": source, "--group": group, "--reason": reason, "--format": format || "FORMAT" };
  for (const [option, value] of Object.entries(options)) if (value) words.push(option, quoteForShell(value));
  if (is_dry) words.push("--dry-run");
  if (q) words.push(quoteForShell(q));
  return words.join(" ");
}

/** @param {string} word */
function quoteForShell(word) {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
