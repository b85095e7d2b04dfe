/** A request that takes long: a line that moves after 0.3 s, and a button to stop it with its seconds after 1 s. */
import { fill, h, icon } from "./dom.js";
import { duration } from "./numbers.js";

const LINE_MS = 300;
const STOP_MS = 1000;

/**
 * What runs one request at a time and shows how long it takes. A new request stops the one before it.
 * @param {HTMLElement} container the part of the page that the answer fills; it is dimmed and `aria-busy` while it is old
 * @returns {{element: HTMLElement, run: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T | undefined>, stop: () => void, close: () => void}}
 *   `element` goes above `container`. `run` gives undefined for a request that was stopped, by a later one or by a person;
 *   it shows an error in `element`, and gives undefined for that, too.
 */
export function query(container) {
  const line = h("div", { class: "progress", hidden: true });
  const note = h("div", { class: "query-note", role: "status" });
  const element = h("div", { class: "query" }, line, note);
  /** @type {AbortController | null} */
  let running = null;

  /** @param {boolean} isRunning @param {boolean} isOld the answer shown is not that of the last question */
  function mark(isRunning, isOld) {
    container.setAttribute("aria-busy", String(isRunning));
    container.classList.toggle("stale", isOld);
  }

  /** @param {AbortController} control @param {number} startedAt @returns {() => void} ends it */
  function show(control, startedAt) {
    const showLine = setTimeout(() => {
      line.hidden = false;
      mark(true, true);
    }, LINE_MS);
    const seconds = h("span");
    const tick = () => fill(seconds, `${Math.floor((performance.now() - startedAt) / 1000)} s`);
    let ticking = 0;
    const showStop = setTimeout(() => {
      tick();
      ticking = setInterval(tick, 1000);
      fill(note, h("button", { type: "button", class: "stop", on: { click: () => stopByHand(control, startedAt) } }, icon("stop"), "Stop"), " ", seconds);
    }, STOP_MS);
    return () => {
      clearTimeout(showLine);
      clearTimeout(showStop);
      clearInterval(ticking);
    };
  }

  /** @param {AbortController} control @param {number} startedAt */
  function stopByHand(control, startedAt) {
    control.abort();
    if (running !== control) return;
    finish();
    mark(false, true);
    fill(note, `Stopped after ${duration((performance.now() - startedAt) / 1000)}. What is shown is the answer before.`);
  }

  function finish() {
    running = null;
    line.hidden = true;
    mark(false, false);
  }

  return {
    element,
    async run(work) {
      running?.abort();
      const control = (running = new AbortController());
      const end = show(control, performance.now());
      try {
        const answer = await work(control.signal);
        if (running !== control) return undefined;
        fill(note);
        finish();
        return answer;
      } catch (/** @type {any} */ error) {
        if (running !== control) return undefined;
        finish();
        mark(false, true);
        fill(note, describeError(error));
        if (!(error.name in { ApiError: 1, AbortError: 1 })) console.error(error);
        return undefined;
      } finally {
        end();
      }
    },
    stop() {
      running?.abort();
      if (running) finish();
    },
    close() {
      running?.abort();
      running = null;
    },
  };
}

/** An error for people: its message and its advice. @param {any} error @returns {HTMLElement} */
export function describeError(error) {
  return h("p", { class: "error", role: "alert" }, icon("warning"), h("span", null, error.message, error.advice && h("span", { class: "quiet" }, ` ${error.advice}`)));
}
