/**
 * The time range: parameters `since` and `until` of the address, and the control that changes them.
 * `since` is a length such as "1h" (until now), an instant, any time of the query language, or "all".
 */
import * as address from "./address.js";
import { dialog } from "./dialog.js";
import { fill, h, icon, iconButton } from "./dom.js";
import * as keys from "./keys.js";
import { menu } from "./menu.js";
import { duration } from "./numbers.js";
import * as times from "./times.js";

export const PRESETS = /** @type {[string, string][]} */ ([
  ["15m", "Last 15 minutes"], ["1h", "Last hour"], ["6h", "Last 6 hours"], ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["today", "Today"], ["all", "All time"],
]);
const REFRESH = /** @type {[string, string][]} */ ([["", "Off"], ["5s", "5 s"], ["10s", "10 s"], ["30s", "30 s"], ["1m", "1 min"], ["5m", "5 min"]]);
const UNITS = /** @type {Record<string, number>} */ ({ ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 });

/** The range in the address, as it is written there. @param {string} [fallback] the since without one
 * @param {URLSearchParams} [params] @returns {{since: string, until: string}} */
export function read(fallback = "1h", params = address.read().params) {
  return { since: params.get("since") || fallback, until: params.get("until") ?? "" };
}

/** The range as parameters of a request: since, until and tz. @param {string} [fallback] @param {URLSearchParams} [params]
 * @returns {{since: string, until: string, tz: string}} "" for what is open */
export function query(fallback = "1h", params = address.read().params) {
  const { since, until } = read(fallback, params);
  return { since: since === "all" ? "" : since, until, tz: times.zoneName() };
}

/** Milliseconds of a length such as "2h"; NaN if the text is none. @param {string} text */
export function parseLength(text) {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)$/.exec(text.trim());
  return match ? Number(match[1]) * UNITS[match[2]] : NaN;
}

/** Milliseconds of an instant of the address; NaN for what only the server can read. @param {string} text @param {number} [now] */
export function parseInstant(text, now = Date.now()) {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "now") return now;
  const length = parseLength(trimmed.replace(/^now\s*-\s*/, ""));
  if (!Number.isNaN(length)) return now - length;
  const back = { today: 0, yesterday: 1 }[trimmed];
  if (back !== undefined) return startOfDay(now, back);
  const written = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(trimmed);
  if (!written) return NaN;
  const [, day, time = "00:00", zone = times.zone() === "UTC" ? "Z" : ""] = written;
  return new Date(`${day}T${time}${zone}`).getTime();
}

/** @param {number} now @param {number} daysBack */
function startOfDay(now, daysBack) {
  const at = new Date(now);
  if (times.zone() === "UTC") return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() - daysBack);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() - daysBack).getTime();
}

/** First and last instant in milliseconds; null for an open end or one that only the server can read.
 * @param {{since: string, until: string}} range @returns {{since: number | null, until: number | null}} */
export function bounds({ since, until }, now = Date.now()) {
  const [first, last] = [since === "all" ? NaN : parseInstant(since, now), parseInstant(until, now)];
  return { since: Number.isNaN(first) ? null : first, until: Number.isNaN(last) ? null : last };
}

/** The change of the address that sets a range. @param {string | number} since @param {string | number} until
 * instants as text or in milliseconds */
export function change(since, until = "") {
  const text = (/** @type {string | number} */ one) => (typeof one === "number" ? new Date(Math.round(one)).toISOString() : one);
  return { params: { since: text(since), until: text(until) } };
}

/** The range in words. @param {{since: string, until: string}} range */
export function describe({ since, until }) {
  const preset = PRESETS.find(([name]) => name === since);
  if (!until || until === "now") {
    if (preset) return preset[1];
    const length = parseLength(since);
    return Number.isNaN(length) ? `Since ${show(since)}` : `Last ${duration(length / 1000)}`;
  }
  return `${since === "all" ? "…" : show(since)} – ${show(until, since)}`;
}

/** @param {string} text @param {string} [other] an instant whose day need not be repeated */
function show(text, other = "") {
  if (!/^\d{4}-/.test(text)) return text;
  const isSameDay = /^\d{4}-/.test(other) && times.format(parseInstant(other)).slice(0, 10) === times.format(parseInstant(text)).slice(0, 10);
  return times.format(parseInstant(text), { date: !isSameDay });
}

/**
 * The control: back, the range with its menu, forward, out, refresh with its interval. It changes the address itself.
 * @param {{fallback?: string, onRefresh?: () => void}} options onRefresh: called by the button and by the interval
 * @returns {{element: HTMLElement, update: () => void, close: () => void}} update: call it when the address has changed
 */
export function control({ fallback = "1h", onRefresh } = {}) {
  const label = h("span", { class: "range-label" });
  const choose = h("button", { type: "button", class: "range-choose", title: "Time range" }, icon("clock"), label, icon("down"));
  const back = iconButton("left", "Earlier: back by half the range", () => shift(-0.5, fallback));
  const forward = iconButton("right", "Later: forward by half the range", () => shift(0.5, fallback));
  const out = iconButton("out", "Zoom out: twice the range", () => zoomOut(fallback));
  const every = h("button", { type: "button", class: "range-every", title: "Refresh by itself" }, h("span"), icon("down"));
  const reload = onRefresh && iconButton("refresh", "Refresh", () => onRefresh());
  menu(choose, () => [
    ...PRESETS.map(([name, text]) => ({ label: text, isChecked: isChosen(name, fallback), onSelect: () => address.go(change(name)) })),
    "line",
    { label: "Other times …", onSelect: () => openRangeDialog(fallback) },
  ]);
  menu(every, () => [
    { heading: "Refresh by itself" },
    ...REFRESH.map(([name, text]) => ({
      label: text, isChecked: (address.read().params.get("refresh") ?? "") === name,
      onSelect: () => address.go({ params: { refresh: name || null } }, { replace: true }),
    })),
  ]);
  const element = h("div", { class: "range", role: "group", aria: { label: "Time range" } }, back, choose, forward, out, reload, onRefresh && every);
  let timer = 0;
  const group = { group: "Time range" };
  const stops = [
    keys.bind("[", "Earlier: back by half the range", () => back.click(), group), keys.bind("]", "Later: forward by half the range", () => forward.click(), group),
    keys.bind("-", "Zoom out", () => out.click(), group), keys.bind("e", "Choose the range", () => choose.click(), group),
    ...(onRefresh ? [keys.bind("r", "Refresh", () => onRefresh(), group)] : []),
  ];

  function update() {
    const range = read(fallback);
    const text = describe(range);
    fill(label, text);
    choose.setAttribute("aria-label", `Time range: ${text}`);
    const { since } = bounds(range);
    for (const button of [back, forward, out]) button.disabled = since === null;
    const interval = address.read().params.get("refresh") ?? "";
    fill(every.firstChild, interval || "");
    every.setAttribute("aria-label", `Refresh by itself: ${interval || "off"}`);
    clearInterval(timer);
    const period = parseLength(interval);
    if (onRefresh && period >= 1000) timer = setInterval(() => document.hidden || onRefresh(), period);
  }

  update();
  return {
    element, update,
    close() {
      clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}

/** @param {string} name @param {string} fallback */
function isChosen(name, fallback) {
  const { since, until } = read(fallback);
  return since === name && !until;
}

/** Move the range by a part of its length. @param {number} part @param {string} [fallback] */
export function shift(part, fallback = "1h") {
  const { since, until } = bounds(read(fallback));
  if (since === null || until === null) return;
  const by = (until - since) * part;
  address.go(change(since + by, until + by));
}

/** Make the range twice as long, around its middle, and not beyond now. @param {string} [fallback] */
export function zoomOut(fallback = "1h") {
  const { since, until } = bounds(read(fallback));
  if (since === null || until === null) return;
  const half = Math.max(1000, (until - since) / 2);
  const end = Math.min(until + half, Math.max(until, Date.now()));
  address.go(change(end - 4 * half, end));
}

/** Ask for a range: by text, or with the browser's calendar. @param {string} fallback */
export function openRangeDialog(fallback = "1h") {
  const range = read(fallback);
  const since = makeField("From", range.since === "all" ? "" : range.since, "Such as 2h, yesterday, monday 9:00 or 2026-11-27 10:00. Empty: from the first record.");
  const until = makeField("To", range.until, "Empty: now. The range ends before this time.");
  const form = h(
    "form",
    {
      id: "range-form", class: "range-form",
      on: {
        submit: (/** @type {Event} */ event) => {
          event.preventDefault();
          shown.close();
          address.go(change(since.text.value.trim() || "all", until.text.value.trim()));
        },
      },
    },
    since.element, until.element,
    h("p", { class: "quiet" }, `Times are in ${times.zoneName()}.`),
  );
  const shown = dialog({ title: "Time range", body: form, actions: h("button", { type: "submit", form: "range-form", class: "primary" }, "Show") });
  since.text.focus();
  since.text.select();
}

/** A text with the browser's calendar beside it. @param {string} label @param {string} text @param {string} hint */
function makeField(label, text, hint) {
  const input = h("input", { type: "text", value: text, autocomplete: "off", spellcheck: "false" });
  const ms = text ? parseInstant(text) : NaN;
  const picker = h("input", {
    type: "datetime-local", step: 1, value: Number.isNaN(ms) ? "" : times.format(ms).replace(" ", "T"), aria: { label: `${label}: calendar` },
    on: { input: () => picker.value && (input.value = toInstant(picker.value)) },
  });
  return { text: input, element: h("div", { class: "range-field" }, h("label", null, label, input), picker, h("p", { class: "quiet" }, hint)) };
}

/** What the calendar gives, in the page's zone, as an instant. @param {string} text */
function toInstant(text) {
  const ms = parseInstant(text.replace("T", " "));
  return Number.isNaN(ms) ? text : new Date(ms).toISOString().replace(".000Z", "Z");
}
