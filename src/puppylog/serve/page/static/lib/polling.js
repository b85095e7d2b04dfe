// Asks again and again while the page is seen.

/**
 * Calls `ask` now, and again `pause_ms` after its end. A hidden page waits until it is seen.
 * @param {(signal: AbortSignal) => Promise<void>} ask
 * @param {number} pause_ms
 * @returns {{again: () => void, stop: () => void}} `again` asks now, and gives up on what is under way
 */
export function poll(ask, pause_ms) {
  let control = new AbortController();
  let timer = 0;
  let isStopped = false;
  async function run() {
    clearTimeout(timer);
    control.abort();
    const mine = (control = new AbortController());
    try {
      if (!document.hidden) await ask(mine.signal);
    } catch (/** @type {any} */ error) {
      // That the server does not answer, or refuses, is said by the banner or by the request that a person made.
      if (!mine.signal.aborted && error.name !== "ApiError") throw error;
    } finally {
      if (mine === control && !isStopped) timer = setTimeout(run, pause_ms);
    }
  }
  const onSeen = () => !document.hidden && run();
  document.addEventListener("visibilitychange", onSeen);
  run();
  return {
    again: run,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      control.abort();
      document.removeEventListener("visibilitychange", onSeen);
    },
  };
}
