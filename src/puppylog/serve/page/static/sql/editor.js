/**
 * A text area for a statement: line numbers, Tab for a blank indent, and a mark at the line of an error.
 */

import { fill, h } from "../lib/dom.js";

const INDENT = "  ";

/**
 * @param {{onInput: (text: string) => void}} page
 * @returns {{node: HTMLElement, area: HTMLTextAreaElement, set: Function, insert: Function, markError: Function}}
 */
export function editor({ onInput }) {
  let leaves = true; // Tab moves the focus on, until something is typed or clicked; and again after Escape
  let errorLine = 0;
  const numbers = h("div", { class: "line-numbers", aria: { hidden: "true" } });
  const area = h("textarea", {
    class: "sql-text",
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    wrap: "off",
    rows: "8",
    aria: { label: "SQL statement", describedby: "sql-keys" },
  });

  function drawNumbers() {
    const lines = area.value.split("\n").length;
    area.rows = Math.min(24, Math.max(6, lines + 1));
    if (numbers.childElementCount === lines && Number(numbers.dataset.error ?? 0) === errorLine) return;
    numbers.dataset.error = String(errorLine);
    fill(numbers, Array.from({ length: lines }, (_, index) => {
      const isWrong = index + 1 === errorLine;
      return h("div", { class: isWrong ? "wrong" : "" }, isWrong ? `▸${index + 1}` : String(index + 1));
    }));
  }

  function insert(text) {
    area.focus();
    // execCommand keeps the browser's own undo; setRangeText would empty it.
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input"));
    }
  }

  function onKey(event) {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (key === "Tab" && !leaves && !ctrlKey && !altKey && !metaKey && !shiftKey) {
      insert(INDENT);
      event.preventDefault();
    } else if (key === "Escape") leaves = true;
  }

  area.addEventListener("keydown", onKey);
  area.addEventListener("blur", () => { leaves = true; });
  area.addEventListener("pointerdown", () => { leaves = false; });
  area.addEventListener("scroll", () => { numbers.style.transform = `translateY(${-area.scrollTop}px)`; });
  area.addEventListener("input", () => {
    leaves = false;
    errorLine = 0;
    drawNumbers();
    onInput(area.value);
  });
  drawNumbers();

  return {
    node: h("div", { class: "sql-editor" }, h("div", { class: "line-gutter" }, numbers), area),
    area,
    insert,
    set(text) {
      if (area.value === text) return;
      area.value = text;
      errorLine = 0;
      drawNumbers();
    },
    /** @param {number | null} line from 1 @param {number | null} column from 1, in characters */
    markError(line, column) {
      errorLine = line ?? 0;
      drawNumbers();
      if (!line) return;
      const before = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      const start = before + Math.max(0, (column ?? 1) - 1);
      const word = /^[\w.]+/.exec(area.value.slice(start))?.[0].length ?? 1;
      area.setSelectionRange(start, Math.min(area.value.length, start + word));
    },
  };
}
