/** Tables with a head that stays, sorting, and rows that the keyboard reaches. */
import { fill, h } from "./dom.js";

/**
 * @template R
 * @typedef {object} Column
 * @property {string} name identifies it
 * @property {import("./dom.js").Child} label @property {"left" | "right"} [align] @property {string} [class] of its cells
 * @property {(row: R) => import("./dom.js").Child} cell
 * @property {(row: R) => any} [sort] the value by which its head sorts; without it the head does not
 */

/**
 * @template R
 * @param {object} options
 * @param {string} options.label of the table, for screen readers
 * @param {Column<R>[]} options.columns @param {R[]} options.rows
 * @param {(row: R, element: HTMLTableRowElement) => void} [options.onOpen] by click or Enter
 * @param {(row: R) => string | null | undefined} [options.rowClass]
 * @param {(row: R) => any} [options.key] identifies a row: focus and selection stay with it when rows change
 * @param {import("./dom.js").Child} [options.empty] shown if there are no rows
 * @param {{name: string, isDescending: boolean} | null} [options.sort] at first
 * @param {(sort: {name: string, isDescending: boolean}) => void} [options.onSort]
 * @returns {{element: HTMLElement, update: (rows: R[], columns?: Column<R>[]) => void, select: (key: any) => void}}
 */
export function table({ label, columns, rows, onOpen, rowClass, key = (row) => row, empty = "Nothing here.", sort = null, onSort }) {
  const head = h("tr");
  const body = h("tbody");
  const caption = h("caption", { class: "visually-hidden" }, label);
  const element = h("div", { class: "table-place", tabindex: 0, role: "region", aria: { label } }, h("table", { class: onOpen ? "table opens" : "table" }, caption, h("thead", null, head), body));
  let selected = /** @type {any} */ (null);
  /** @type {{row: R, element: HTMLTableRowElement}[]} */
  let shown = [];

  function drawHead() {
    fill(head, columns.map((column) => {
      const isSorted = sort?.name === column.name;
      const direction = isSorted ? (sort?.isDescending ? "descending" : "ascending") : null;
      const sign = isSorted ? (sort?.isDescending ? " ▾" : " ▴") : "";
      const content = column.sort ? h("button", { type: "button", class: "sort", on: { click: () => sortBy(column) } }, column.label, h("span", { aria: { hidden: "true" } }, sign)) : column.label;
      return h("th", { scope: "col", class: classOf(column), aria: { sort: direction } }, content);
    }));
  }

  /** @param {Column<R>} column */
  function sortBy(column) {
    const isNumber = typeof rows.map((row) => column.sort?.(row)).find((one) => one !== null && one !== undefined) === "number";
    sort = { name: column.name, isDescending: sort?.name === column.name ? !sort.isDescending : isNumber };
    onSort?.(sort);
    const had = [...head.children].findIndex((one) => one.contains(document.activeElement));
    draw();
    if (had >= 0) /** @type {HTMLElement} */ (head.children[had].querySelector("button"))?.focus();
  }

  function draw() {
    const focused = shown.find((one) => one.element === document.activeElement);
    drawHead();
    const column = columns.find((one) => one.name === sort?.name);
    const ordered = column?.sort ? sortRows(rows, column.sort, sort?.isDescending ?? false) : rows;
    shown = ordered.map((row) => ({ row, element: drawRow(row) }));
    fill(body, shown.length ? shown.map((one) => one.element) : h("tr", { class: "empty" }, h("td", { colspan: columns.length }, empty)));
    markTabStop();
    const again = focused && shown.find((one) => key(one.row) === key(focused.row));
    again?.element.focus({ preventScroll: true });
  }

  /** @param {R} row */
  function drawRow(row) {
    return h("tr", {
      class: rowClass?.(row), tabindex: onOpen ? -1 : null, aria: { current: selected !== null && key(row) === selected ? "true" : null },
    }, columns.map((column) => h("td", { class: classOf(column) }, column.cell(row))));
  }

  function markTabStop() {
    if (!onOpen || !shown.length) return;
    const stop = shown.find((one) => key(one.row) === selected) ?? shown[0];
    stop.element.tabIndex = 0;
  }

  body.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const target = /** @type {Element} */ (event.target);
    if (!onOpen || target.closest("a, button, input, select, label") || getSelection()?.toString()) return;
    const found = shown.find((one) => one.element.contains(target));
    if (found) onOpen(found.row, found.element);
  });
  body.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = shown.findIndex((one) => one.element === document.activeElement);
    if (at < 0 || !onOpen) return;
    if (event.key === "Enter") onOpen(shown[at].row, shown[at].element);
    else moveFocus(shown.map((one) => one.element), at, event);
    if (["Enter", "ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) event.preventDefault();
  });

  draw();
  return {
    element,
    update(nextRows, nextColumns = columns) {
      [rows, columns] = [nextRows, nextColumns];
      draw();
    },
    select(next) {
      selected = next;
      for (const one of shown) {
        if (key(one.row) === next) one.element.setAttribute("aria-current", "true");
        else one.element.removeAttribute("aria-current");
      }
    },
  };
}

/** @param {HTMLElement[]} elements @param {number} at @param {KeyboardEvent} event */
function moveFocus(elements, at, event) {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: elements.length - 1 }[event.key];
  if (to === undefined || !elements[to]) return;
  elements[at].tabIndex = -1;
  elements[to].tabIndex = 0;
  elements[to].focus();
}

/** @param {Column<any>} column */
function classOf(column) {
  return [column.align === "right" ? "right" : null, column.class].filter(Boolean).join(" ") || null;
}

/** @template R @param {R[]} rows @param {(row: R) => any} value @param {boolean} isDescending missing values come last */
function sortRows(rows, value, isDescending) {
  const sign = isDescending ? -1 : 1;
  return rows.map((row, at) => ({ row, at, by: value(row) })).sort((a, b) => {
    const [noA, noB] = [a.by === null || a.by === undefined, b.by === null || b.by === undefined];
    if (noA || noB) return Number(noA) - Number(noB) || a.at - b.at;
    const order = typeof a.by === "string" ? a.by.localeCompare(String(b.by), "en", { numeric: true }) : a.by - b.by;
    return sign * order || a.at - b.at;
  }).map((one) => one.row);
}
