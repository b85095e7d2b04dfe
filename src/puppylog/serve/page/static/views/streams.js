/**
 * The streams of the store: what is collected, how far it is behind, and what is wrong with it. Asked again every few
 * seconds; rows keep their order while the pointer or the focus is on them.
 */

import { fill, h } from "../lib/dom.js";
import { bytes, count, plural } from "../lib/numbers.js";
import { CHOICES, choose, divide, keepOrder, total } from "../streams/order.js";
import { COLUMNS, formatRate, makeRow, setText } from "../streams/rows.js";
import { Rates } from "../streams/sparkline.js";

export const title = "Streams";

const POLL_MS = 3000;
const MAX_ROWS = 500;

/** @param {HTMLElement} container @param {any} app */
export function open(container, app) {
  const view = new Streams(container, app);
  return { update: (address) => view.update(address), close: () => view.close() };
}

class Streams {
  #app;
  #abort = new AbortController();
  #timer = 0;
  #rows = new Map(); // stream id -> row
  #rates = new Rates();
  #streams = null; // of the last answer; null before the first one
  #shown = []; // sections: key and ids
  #wish = { find: "", choice: "all", sort: "state", by: "" };
  #showsAll = false;
  #stalled = null;
  #unbind;
  #parts;

  constructor(container, app) {
    this.#app = app;
    this.#parts = makeParts((change) => this.#ask(change), () => this.#showAll());
    fill(container, this.#parts.whole);
    this.#unbind = app.keys.bind("/", "Filter the streams", () => this.#parts.find.focus(), { group: "Streams" });
    this.#poll();
  }

  update(address) {
    const { params } = address;
    const choice = params.get("state") ?? "all";
    this.#wish = {
      find: params.get("find") ?? "",
      choice: choice in CHOICES ? choice : "all",
      sort: params.get("sort") ?? "state",
      by: ["group", "host"].includes(params.get("by")) ? params.get("by") : "",
    };
    const { find, by } = this.#parts;
    if (document.activeElement !== find) find.value = this.#wish.find;
    by.value = this.#wish.by;
    this.#draw({ mayMove: true });
  }

  close() {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#unbind();
  }

  #ask(change) {
    this.#app.address.go({ params: change }, { replace: "find" in change });
  }

  #showAll() {
    this.#showsAll = true;
    this.#draw({ mayMove: true });
  }

  async #poll() {
    const { signal } = this.#abort;
    try {
      if (!document.hidden || this.#streams === null) {
        const answer = await this.#app.api.get("/api/v1/streams", {}, { signal });
        this.#streams = answer.streams;
        this.#rates.add(answer.streams);
        setText(this.#parts.trouble, "");
        this.#draw({ mayMove: false });
        this.#sayChanges();
      }
    } catch (error) {
      if (signal.aborted) return;
      setText(this.#parts.trouble, `The streams below are not up to date: ${error.message}`);
    }
    if (!signal.aborted) this.#timer = setTimeout(() => this.#poll(), POLL_MS);
  }

  /** Tell screen readers when the number of stalled streams changes; not more often. */
  #sayChanges() {
    const { stalled } = total(this.#streams);
    if (this.#stalled !== null && stalled !== this.#stalled) {
      this.#app.say(stalled ? `${plural(stalled, "stream")} stalled` : "No stream is stalled any more");
    }
    this.#stalled = stalled;
  }

  #isHeld() {
    const { table } = this.#parts;
    return table.querySelector("tbody:hover") !== null || table.contains(document.activeElement);
  }

  #draw({ mayMove }) {
    if (this.#streams === null) return;
    const chosen = choose(this.#streams, this.#wish);
    const limited = this.#showsAll ? chosen : chosen.slice(0, MAX_ROWS);
    let sections = divide(limited, this.#wish.by);
    if (!mayMove && this.#isHeld()) sections = keepOrder(sections, this.#shown);
    this.#drawSections(sections);
    this.#parts.drawTools(this.#streams, this.#wish);
    this.#parts.drawTotals(chosen, limited.length, this.#streams.length);
  }

  #drawSections(sections) {
    const before = this.#rows;
    this.#rows = new Map();
    for (const { streams } of sections) {
      for (const stream of streams) {
        const row = before.get(stream.stream_id) ?? makeRow(stream, this.#app);
        row.update(stream, this.#rates.of(stream.stream_id));
        this.#rows.set(stream.stream_id, row);
      }
    }
    const shown = sections.map(({ key, streams }) => ({ key, ids: streams.map((stream) => stream.stream_id) }));
    const isSame = JSON.stringify(shown) === JSON.stringify(this.#shown);
    this.#shown = shown;
    const { table } = this.#parts;
    if (!isSame || this.#wish.by !== table.dataset.by) {
      const focused = document.activeElement;
      const bodies = sections.map((section) => this.#makeBody(section));
      table.tBodies.length || table.append(h("tbody", {}));
      for (const body of [...table.tBodies]) body.remove();
      table.append(...bodies);
      if (focused instanceof HTMLElement && table.contains(focused)) focused.focus({ preventScroll: true });
    }
    table.dataset.by = this.#wish.by;
    for (const section of sections) {
      const heading = table.querySelector(`tbody[data-key=${CSS.escape(`k${section.key}`)}] .section-total`);
      if (heading) setText(heading, summarize(total(section.streams)));
    }
  }

  #makeBody({ key, streams }) {
    const rows = streams.map((stream) => this.#rows.get(stream.stream_id).node);
    if (!this.#wish.by) return h("tbody", {}, rows);
    const name = key || (this.#wish.by === "group" ? "no group" : "no host");
    const heading = h(
      "th",
      { scope: "rowgroup", colspan: String(COLUMNS.length) },
      h("span", { class: "section-name", dir: "auto" }, name),
      " ",
      h("span", { class: "section-total quiet" }),
    );
    return h("tbody", { data: { key: `k${key}` } }, h("tr", { class: "section" }, heading), rows);
  }
}

/** @param {ReturnType<typeof total>} sum */
function summarize(sum) {
  const parts = [plural(sum.streams, "stream")];
  if (sum.stalled) parts.push(`▲ ${count(sum.stalled)} stalled`);
  if (sum.behind) parts.push(`◐ ${count(sum.behind)} behind`);
  parts.push(`${bytes(sum.lag_bytes)} waiting`, `${formatRate(sum.lines_per_s)} lines a second`);
  parts.push(plural(sum.records, "record"), plural(sum.rejects, "rejected line"));
  return parts.join(" · ");
}

/**
 * Make everything around the rows.
 * @param {(change: any) => void} ask changes the address
 * @param {() => void} showAll
 */
function makeParts(ask, showAll) {
  const find = h("input", {
    type: "search",
    aria: { label: "Filter the streams" },
    placeholder: "Filter: source, host, group, format, problem",
    on: { input: () => ask({ find: find.value || null }) },
  });
  const by = h(
    "select",
    { aria: { label: "Group the streams by" }, on: { change: () => ask({ by: by.value || null }) } },
    h("option", { value: "" }, "Not grouped"),
    h("option", { value: "group" }, "By log group"),
    h("option", { value: "host" }, "By host"),
  );
  const choices = Object.entries(CHOICES).map(([name, { label }]) =>
    h("button", {
      type: "button",
      data: { choice: name, label },
      on: { click: () => ask({ state: name === "all" ? null : name }) },
    }),
  );
  const heads = COLUMNS.map(({ label, sort, align, name }) =>
    h(
      "th",
      { scope: "col", class: `cell-${name}${align ? " right" : ""}`, data: { sort: sort ?? "" } },
      sort
        ? h("button", { type: "button", class: "sort", on: { click: () => ask({ sort: sort === "state" ? null : sort }) } }, label)
        : label || h("span", { class: "visually-hidden" }, "Links"),
    ),
  );
  const table = h("table", { class: "table streams" }, h("thead", {}, h("tr", {}, heads)));
  const totals = h("p", { class: "totals", aria: { live: "off" } });
  const trouble = h("p", { class: "trouble", role: "status" });
  const empty = h("div", { class: "empty", hidden: true });
  const segmented = h("div", { class: "segmented", role: "group", aria: { label: "State" } }, choices);
  const tools = h("div", { class: "toolbar" }, h("h1", null, title), find, segmented, by);
  const scroller = h("div", { class: "table-place", role: "region", tabindex: "0", aria: { label: "Table of streams" } }, table);
  const whole = h("div", { class: "tables-view" }, tools, totals, trouble, scroller, empty);

  function drawTools(streams, wish) {
    for (const button of choices) {
      const { choice, label } = button.dataset;
      const number = choice === "all" ? streams.length : streams.filter(({ state }) => CHOICES[choice].states.includes(state)).length;
      setText(button, `${label} ${count(number)}`);
      button.setAttribute("aria-pressed", String(choice === wish.choice));
    }
    for (const head of heads) {
      if (head.dataset.sort) head.setAttribute("aria-sort", head.dataset.sort === wish.sort ? "descending" : "none");
    }
  }

  function drawTotals(chosen, rows, all) {
    setText(totals, chosen.length ? summarize(total(chosen)) : "");
    scroller.hidden = chosen.length === 0;
    empty.hidden = chosen.length !== 0 && rows === chosen.length;
    if (all === 0) fill(empty, ...noStreams());
    else if (chosen.length === 0) fill(empty, h("p", {}, "No stream matches. "), clearButton(ask));
    else if (rows < chosen.length) {
      const show = h("button", { type: "button", on: { click: showAll } }, `Show all ${count(chosen.length)} streams`);
      fill(empty, h("p", {}, `${count(chosen.length - rows)} streams are left out. `), show);
    }
  }

  return { whole, find, by, table, trouble, drawTools, drawTotals };
}

function clearButton(ask) {
  const clear = () => ask({ find: null, state: null });
  return h("button", { type: "button", on: { click: clear } }, "Show all streams");
}

function noStreams() {
  return [
    h("p", {}, "No stream has been collected into this store yet. Collect a file, for example:"),
    h("pre", { class: "command", tabindex: "0" }, "puppylog collector -s /var/log/nginx/access.log"),
  ];
}
