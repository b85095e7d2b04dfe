// The alerts view: all alerts and silences, or one alert (#/alerts/NAME).
import { openDetails } from "../alerts/details.js";
import { alertsTable, countConditions } from "../alerts/list.js";
import { silencesPanel } from "../alerts/silences.js";
import { silence, actionButton } from "../alerts/actions.js";
import { describeHeartbeat } from "../alerts/heartbeat.js";
import * as address from "../lib/address.js";
import * as api from "../lib/api.js";
import { fill, h, icon } from "../lib/dom.js";
import { poll } from "../lib/polling.js";
import { query } from "../lib/query.js";
import { askAlerts, askMetrics } from "../metrics/asking.js";
import { unitOf } from "../metrics/units.js";

export const title = "Alerts";

/**
 * @typedef {object} Known what the server said last
 * @property {import("../alerts/condition.js").AlertRow[]} alerts
 * @property {any} heartbeat
 * @property {any[]} silences
 * @property {Map<string, import("../metrics/words.js").Metric>} metrics
 */
const POLL_MS = 5000;
/** A filter is shown if there are more alerts. */
const MANY = 8;

/** @param {HTMLElement} container @param {import("../app.js").App} app */
export function open(container, app) {
  /** @type {Known | null} */
  let known = null;
  /** @type {{node: Element, update: (known: Known) => void, look?: () => void, close?: () => void} | null} */
  let part = null;
  let shown = "";
  const [warning, body] = [h("div", { role: "status" }), h("div", null)];
  const running = query(body);
  fill(container, warning, running.element, body);
  const context = {
    app,
    rows: () => known?.alerts ?? [],
    refresh: () => polling.again(),
    refusal: () => (app.mayChange() ? null : "Your token may only read. A token with the scope admin may acknowledge and silence."),
  };
  /** @param {string} name */
  const unit = (name) => {
    const metric = known?.metrics.get(name);
    return metric ? unitOf(metric) : "";
  };
  const polling = poll(async (signal) => {
    known = known === null ? ((await running.run(ask)) ?? null) : await ask(signal).catch(() => known);
    draw();
  }, POLL_MS);

  const stop = api.onBack(() => polling.again());

  function draw() {
    if (!known) return;
    fill(warning, describeHeartbeat(known.heartbeat, known.alerts));
    part?.update(known);
  }

  return {
    /** @param {import("../lib/address.js").Address} now */
    update({ name, params }) {
      const wanted = JSON.stringify([name || null, params.get("tz")]);
      if (part === null || wanted !== shown) {
        part?.close?.();
        part = name ? openDetails(context, unit, name) : openList(context, unit);
        fill(body, part.node);
        document.title = `${name ? `${name} · ` : ""}Alerts · Puppylog`;
        draw();
      }
      shown = wanted;
      part.look?.();
    },
    close() {
      part?.close?.();
      polling.stop();
      stop();
      running.close();
    },
  };
}

/** @param {AbortSignal} signal @returns {Promise<Known>} */
async function ask(signal) {
  const [alerts, { silences }, metrics] = await Promise.all([askAlerts(signal), api.get("silences", {}, { signal }), askMetrics(signal)]);
  return { ...alerts, silences, metrics: new Map(metrics.map((metric) => [metric.name, metric])) };
}

/** @param {import("../alerts/actions.js").Context} context @param {(metric: string) => import("../metrics/units.js").Unit} unit */
function openList(context, unit) {
  const counts = h("p", { class: "quiet alert-counts", aria: { live: "polite" } });
  const table = alertsTable(context, unit);
  const silences = silencesPanel(context);
  const empty = h("div", null);
  const add = actionButton(context, [icon("mute"), "Silence …"], "Silence alerts", () => silence(context, { alert: "*", segment: "*" }));
  const search = h("input", { type: "search", placeholder: "Filter alerts", aria: { label: "Filter alerts" }, hidden: true, on: { input: () => address.go({ params: { filter: search.value } }, { replace: true }) } });
  let said = "";
  /** @type {Known | null} */
  let last = null;

  function showRows() {
    if (search !== document.activeElement) search.value = address.read().params.get("filter") ?? "";
    const wanted = search.value.trim().toLowerCase();
    const rows = (last?.alerts ?? []).filter((row) => [row.name, row.segment_name ?? row.segment, row.severity, row.description, row.metric].some((text) => text?.toLowerCase().includes(wanted)));
    search.hidden = new Set(last?.alerts.map((row) => row.name)).size <= MANY && !search.value;
    table.node.hidden = rows.length === 0;
    table.update(rows);
  }

  return {
    look: showRows,
    node: h("div", { class: "stack" }, h("header", { class: "toolbar" }, h("h1", null, "Alerts"), counts, search, add), empty, table.node, silences.node),
    /** @param {Known} known */
    update(known) {
      const text = countConditions(known.alerts);
      if (text !== said) fill(counts, (said = text));
      fill(empty, known.alerts.length === 0 && h("div", { class: "empty-note" }, h("p", null, "There are no alerts yet. The first ones are made by"), h("p", null, h("code", null, "puppylog monitor metrics create --default"))));
      last = known;
      showRows();
      silences.update(known.silences);
    },
  };
}
