/** Server-sent events, which go on by themselves after a break, without a gap and without a repetition. */
import * as api from "./api.js";
import { parseJson } from "./json.js";

const RETRY_MS = 2000;

/**
 * Listen to a path of the server until `close`.
 * @param {string} path such as "records/tail" @param {Record<string, any>} params
 * @param {{on: Record<string, (data: any) => void>, onOpen?: () => void, onBreak?: () => void, onError?: (error: api.ApiError) => void}} handlers
 *   `on` has a function per event; `onError` gets a refusal that no repetition changes, such as a query with a fault
 * @returns {{close: () => void}}
 */
export function listen(path, params, handlers) {
  let last = params.from ?? null;
  let isClosed = false;
  /** @type {EventSource | null} */
  let source = null;
  let timer = 0;

  function open() {
    source = new EventSource(api.url(path, { ...params, from: last }));
    source.onopen = () => handlers.onOpen?.();
    source.onerror = () => {
      handlers.onBreak?.();
      source?.close(); // open again with `from`, so that a refusal is found out
      if (!isClosed) timer = setTimeout(retry, RETRY_MS);
    };
    // Without it, a break before the first record would lose the records that are stored meanwhile.
    const on = /** @type {Record<string, (data: any) => void>} */ ({ position: () => {}, ...handlers.on });
    for (const [name, fn] of Object.entries(on))
      source.addEventListener(name, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        fn(parseJson(event.data));
      });
  }

  async function retry() {
    if (isClosed) return;
    const error = await probe(api.url(path, { ...params, from: last }));
    if (isClosed) return;
    if (error === null) return open();
    if (error.status === 401) await api.logIn().catch(() => {});
    else if (!error.isTransient) return handlers.onError?.(error);
    if (!isClosed) timer = setTimeout(retry, RETRY_MS);
  }

  open();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}

/** Why the server refuses a stream of events, which an EventSource does not tell; null if it does not.
 * @param {string} target @returns {Promise<api.ApiError | null>} */
async function probe(target) {
  const control = new AbortController();
  try {
    const response = await fetch(target, { signal: control.signal, headers: { accept: "text/event-stream" } });
    return response.ok ? null : await api.readError(response);
  } catch {
    return new api.ApiError(0, { message: "The server does not answer.", is_transient: true });
  } finally {
    control.abort();
  }
}
