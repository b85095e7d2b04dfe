// The requests of a view that run at the same time: their progress, the button that stops them, and what became of them.
import * as api from "../lib/api.js";
import { fill, h, icon } from "../lib/dom.js";
import { duration } from "../lib/numbers.js";

const SHOW_AFTER_MS = 300;
const STOP_AFTER_MS = 1000;

/** After so many seconds the server may answer with a part, so that something is seen within a second. */
export const BUDGET_S = 0.6;

/**
 * What became of a request: one of these is set.
 * @typedef {{answer?: any, error?: api.ApiError, isStopped?: boolean, isReplaced?: boolean}} Result
 * @typedef {{run: (name: string, ask: (signal: AbortSignal) => Promise<any>) => Promise<Result>, stop: () => void, close: () => void}} Tasks
 */

/**
 * Opens the progress line of a view.
 * @param {Element} container an empty element for the line and the button
 * @param {{say: (text: string) => void}} app
 * @returns {Tasks}
 */
export function openTasks(container, app) {
  /** @type {Map<string, {control: AbortController, startedAt: number, isStopped: boolean}>} */
  const running = new Map();
  const text = h("span", { class: "progress-text" });
  const button = h("button", { type: "button", class: "stop", on: { click: stop } }, icon("stop"), "Stop");
  const state = h("div", { class: "progress-state", hidden: true }, text, button);
  const line = h("div", { class: "progress", hidden: true });
  fill(container, line, state);
  let timer = 0;

  function show() {
    clearTimeout(timer);
    const waited = performance.now() - Math.min(...[...running.values()].map((task) => task.startedAt));
    line.hidden = !running.size || waited < SHOW_AFTER_MS;
    state.hidden = !running.size || waited < STOP_AFTER_MS;
    if (!running.size) return;
    text.textContent = `Searching for ${duration(Math.floor(waited / 1000))}`;
    const next = waited < SHOW_AFTER_MS ? SHOW_AFTER_MS : Math.floor(waited / 1000 + 1) * 1000;
    timer = setTimeout(show, Math.max(20, next - waited + 5));
  }

  function stop() {
    const hadFocus = document.activeElement === button;
    for (const task of running.values()) {
      task.isStopped = true;
      task.control.abort();
    }
    if (hadFocus) document.getElementById("content")?.focus();
    app.say("The search is stopped.");
  }

  /** @type {Tasks["run"]} */
  async function run(name, ask) {
    running.get(name)?.control.abort();
    const task = { control: new AbortController(), startedAt: performance.now(), isStopped: false };
    running.set(name, task);
    show();
    try {
      const answer = await ask(task.control.signal);
      return task.control.signal.aborted ? aborted(task) : { answer };
    } catch (error) {
      if (task.control.signal.aborted) return aborted(task);
      if (error instanceof api.ApiError) return { error };
      throw error;
    } finally {
      if (running.get(name) === task) running.delete(name);
      show();
    }
  }

  function close() {
    for (const task of running.values()) task.control.abort();
    running.clear();
    clearTimeout(timer);
  }

  return { run, stop, close };
}

/** @param {{isStopped: boolean}} task @returns {Result} */
function aborted(task) {
  return task.isStopped ? { isStopped: true } : { isReplaced: true };
}

/**
 * A part of a view that shows the answer to one request. While the next one runs, the old answer stays and is dimmed.
 * @param {object} options
 * @param {Tasks} options.tasks
 * @param {string} options.name of the request
 * @param {string} options.thing what the part shows, for messages: "the counts"
 * @param {Element} options.content is dimmed
 * @param {Element} options.note an empty element for messages
 * @param {(signal: AbortSignal, budget_s: number | null) => Promise<any>} options.ask is called again without a budget if the answer has `counted_since`
 * @param {(answer: any) => void} options.show
 * @param {(error: api.ApiError) => boolean} [options.onError] returns true if it shows the error elsewhere
 * @returns {{load: () => Promise<void>, close: () => void}}
 */
export function openPart({ tasks, name, thing, content, note, ask, show, onError }) {
  let isFailed = false;
  let hasAnswer = false;

  async function load() {
    content.classList.add("is-loading");
    content.setAttribute("aria-busy", "true");
    let result = await tasks.run(name, (signal) => ask(signal, BUDGET_S));
    if (result.isReplaced) return;
    let isPart = false;
    if (result.answer?.counted_since) {
      hasAnswer = isPart = true;
      fill(note);
      show(result.answer);
      result = await tasks.run(name, (signal) => ask(signal, null));
      if (result.isReplaced) return;
    }
    content.classList.remove("is-loading");
    content.removeAttribute("aria-busy");
    content.classList.toggle("stale", !result.answer && !isPart);
    isFailed = Boolean(result.error?.isTransient);
    fill(note);
    if (result.answer) {
      hasAnswer = true;
      show(result.answer);
    } else if (!(result.error && onError?.(result.error))) tell(result, isPart);
  }

  /** @param {Result} result @param {boolean} isPart whether the newest part of the answer is shown */
  function tell(result, isPart) {
    const old = isPart ? " What you see is counted in the newest part." : hasAnswer ? " What you see is from the search before." : "";
    const again = h("button", { type: "button", class: "link", on: { click: load } }, "Try again");
    fill(note, h("p", { class: "part-note" }, `${describe(result, thing)}${old} `, again));
  }

  const stopListening = api.onBack(() => {
    if (isFailed) load();
  });
  return { load, close: stopListening };
}

/** @param {Result} result @param {string} thing */
function describe(result, thing) {
  if (result.isStopped) return `You stopped the search for ${thing}.`;
  const error = result.error;
  if (!error) return "";
  const end = /[.!?]$/.test(error.message) ? "" : ".";
  if (error.status === 504) return `${capital(thing)} took too long: ${error.message}${end} A shorter range of time is faster.`;
  return `${capital(error.message)}${end}${error.advice ? ` ${capital(error.advice)}.` : ""}`;
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
