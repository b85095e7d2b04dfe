/** Requests to the server. A 401 opens the log-in and repeats the request; a store that is away is told to listeners. */
import { parseJson } from "./json.js";

/** Why a request was refused. `status` is 0 if the server did not answer. */
export class ApiError extends Error {
  /** @param {number} status @param {any} error the part `error` of an answer */
  constructor(status, error) {
    super(error.message);
    this.name = "ApiError";
    this.status = status;
    /** @type {number | null} where in the text of `place` the fault is, from 0 */
    this.column = error.column ?? null;
    /** @type {string | null} */
    this.advice = error.advice ?? null;
    /** @type {string | null} the parameter with the fault */
    this.place = error.place ?? null;
    this.isTransient = Boolean(error.is_transient ?? (status === 0 || status === 503));
    /** @type {number | null} */
    this.retryAfterS = error.retry_after_s ?? null;
  }
}

const AWAY = "The server does not answer.";
/** @type {Set<() => void>} */
const backListeners = new Set();
/** @type {Set<(message: string) => void>} */
const awayListeners = new Set();
let isAway = false;
/** @type {(() => Promise<void>) | null} */
let openLogin = null;
/** @type {Promise<void> | null} */
let loggingIn = null;

/** What shows the log-in dialog; its promise ends when someone has logged in. @param {() => Promise<void>} fn */
export function setLogin(fn) {
  openLogin = fn;
}

/** The address of a path below `api/v1/`. @param {string} path such as "records"
 * @param {Record<string, any> | URLSearchParams} [params] null, undefined and "" are left out; lists repeat */
export function url(path, params = {}) {
  const query = new URLSearchParams();
  const entries = params instanceof URLSearchParams ? [...params] : Object.entries(params);
  for (const [key, value] of entries)
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== null && one !== undefined && one !== "") query.append(key, String(one));
  const text = query.toString();
  return `api/v1/${path.replace(/^\/?(api\/v1\/)?/, "")}${text ? `?${text}` : ""}`;
}

/** @param {string} path @param {Record<string, any> | URLSearchParams} [params] @param {{signal?: AbortSignal}} [options] @returns {Promise<any>} */
export function get(path, params, options = {}) {
  return send("GET", url(path, params), undefined, options);
}

/** @param {string} path @param {any} body sent as JSON @param {{signal?: AbortSignal}} [options] @returns {Promise<any>} */
export function post(path, body, options = {}) {
  return send("POST", url(path), body, options);
}

/** @param {string} path @param {{signal?: AbortSignal}} [options] @returns {Promise<any>} */
export function del(path, options = {}) {
  return send("DELETE", url(path), undefined, options);
}

/** @param {string} method @param {string} target @param {any} body @param {{signal?: AbortSignal, quiet?: boolean}} options
 * @returns {Promise<any>} the answer's JSON; null if it has no content */
async function send(method, target, body, options) {
  /** @type {RequestInit} */
  const request = { method, signal: options.signal, headers: { accept: "application/json" }, credentials: "same-origin", redirect: "error" };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...request.headers, "content-type": "application/json" };
  }
  const response = await fetch(target, request).catch((error) => {
    if (error.name === "AbortError" || options.signal?.aborted) throw error;
    goAway(AWAY);
    throw new ApiError(0, { message: AWAY, is_transient: true });
  });
  if (response.status === 401 && openLogin) {
    await logIn();
    options.signal?.throwIfAborted();
    return send(method, target, body, options);
  }
  if (response.ok) return response.status === 204 ? null : parseJson(await response.text());
  const error = await readError(response);
  if (response.status === 503 && error.isTransient) goAway(error.message);
  throw error;
}

/** The fault that an answer tells, in JSON or as a line of text. @param {Response} response @returns {Promise<ApiError>} */
export async function readError(response) {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text);
    if (typeof error?.message === "string") return new ApiError(response.status, error);
  } catch {
    // not JSON
  }
  return new ApiError(response.status, { message: text.trim().slice(0, 500) || `The server answers ${response.status}.` });
}

/** Show the log-in; several requests share one. */
export function logIn() {
  if (!openLogin) return Promise.reject(new ApiError(401, { message: "A token is needed." }));
  loggingIn ??= openLogin().finally(() => (loggingIn = null));
  return loggingIn;
}

/** @param {() => void} fn called when the store answers again @returns {() => void} stops it */
export function onBack(fn) {
  backListeners.add(fn);
  return () => backListeners.delete(fn);
}

/** @param {(message: string) => void} fn called when server or store does not answer @returns {() => void} stops it */
export function onAway(fn) {
  awayListeners.add(fn);
  return () => awayListeners.delete(fn);
}

/** Say that the server or its store does not answer. @param {string} message */
export function goAway(message) {
  isAway = true;
  for (const fn of [...awayListeners]) fn(message);
}

/** Say that it answers again. */
export function comeBack() {
  if (!isAway) return;
  isAway = false;
  for (const fn of [...backListeners]) fn();
}
