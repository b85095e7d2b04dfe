/** Asks for the server's status: badges of the top bar, and the banner while server or store do not answer. */
import * as api from "./api.js";
import { h } from "./dom.js";
import { banner, say, toast } from "./notices.js";

const PERIOD_MS = 5000;
const AWAY_MS = 1500;
const ANSWER_MS = 10_000;

/** @param {any} _app @param {{setBadges: (badges: Record<string, {count: number, label: string}>) => void, setStatus: (status: any) => void}} topBar */
export function watchStatus(_app, topBar) {
  let version = "";
  let isAway = false;
  let timer = 0;

  async function ask() {
    clearTimeout(timer);
    if (document.hidden) return; // asked again when the page is seen
    try {
      const status = await api.get("status", {}, { signal: AbortSignal.timeout(ANSWER_MS) });
      if (!status.store.is_up) throw new api.ApiError(503, { message: status.store.problem ?? "The store does not answer." });
      answer(status);
    } catch (/** @type {any} */ error) {
      if (error.name === "TimeoutError") api.goAway("The server does not answer.");
      else if (error.isTransient ?? true) api.goAway(error.message);
    }
    timer = setTimeout(ask, isAway ? AWAY_MS : PERIOD_MS);
  }

  /** @param {any} status */
  function answer(status) {
    topBar.setStatus(status);
    topBar.setBadges(readBadges(status));
    if (version && version !== status.version) banner("Puppylog was updated.", { kind: "info", action: h("button", { type: "button", on: { click: () => location.reload() } }, "Load the new page") });
    else if (isAway) banner(null);
    version ||= status.version;
    if (!isAway) return;
    isAway = false;
    say("Connected again.");
    toast("Connected again.");
    api.comeBack();
  }

  /** @param {string} message */
  function away(message) {
    banner(`${message} What is shown is the last answer; the page goes on by itself.`);
    if (!isAway) {
      isAway = true;
      clearTimeout(timer);
      timer = setTimeout(ask, AWAY_MS);
    }
  }

  api.onAway(away);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  ask();
}

/** @param {any} status */
function readBadges(status) {
  const firing = (status.alerts?.firing ?? []).length;
  const stalled = status.streams?.by_state?.stalled ?? 0;
  const others = (status.streams?.list ?? []).filter((/** @type {any} */ one) => one.problem && one.state !== "stalled");
  const troubled = stalled + others.length;
  return { alerts: { count: firing, label: `${firing} firing` }, streams: { count: troubled, label: `${troubled} with problems` } };
}
