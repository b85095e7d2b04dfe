/** Who is logged in, and the dialog that logs in. The token goes to the server and is kept nowhere in the page. */
import { dialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { forget } from "./kept.js";
import { banner } from "./notices.js";

const RETRY_MS = 2000;

/** @typedef {{needs_token: boolean, name: string | null, scope: string | null}} Session */

/** Ask the server until it answers. @returns {Promise<Session>} */
export async function readSession() {
  for (;;) {
    const response = await fetch("api/v1/session").catch(() => null);
    if (response?.ok) {
      banner(null);
      return response.json();
    }
    banner(response ? (await response.text()).trim() : "The server does not answer.");
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Show the log-in until a token is accepted that may read. @returns {Promise<Session>} */
export function openLogin() {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", id: "token", name: "token", autocomplete: "current-password", required: true, spellcheck: "false", placeholder: "ppl_…" });
    const fault = h("p", { class: "error", role: "alert" });
    const button = h("button", { type: "submit", class: "primary" }, "Log in");
    const form = h("form", { class: "login" },
      h("p", null, "This server needs a token with the scope read."),
      h("label", { for: "token" }, "Token"), input, fault,
      h("p", { class: "quiet" }, "An administrator creates one with ", h("code", null, "puppylog tokens create NAME --scope read"), "."),
      h("div", { class: "dialog-actions" }, button));
    const shown = dialog({ title: "Log in", body: form, mayClose: false, class: "login-dialog" });
    form.addEventListener("submit", async (/** @type {Event} */ event) => {
      event.preventDefault();
      button.disabled = true;
      fill(fault, "");
      const found = await tryToken(input.value).catch((/** @type {Error} */ error) => error);
      button.disabled = false;
      if (found instanceof Error) {
        fill(fault, found.message);
        input.select();
        return;
      }
      input.value = "";
      shown.close();
      resolve(found);
    });
    input.focus();
  });
}

/** @param {string} token @returns {Promise<Session>} */
async function tryToken(token) {
  const response = await fetch("login", { method: "POST", body: JSON.stringify({ token }), headers: { "content-type": "application/json" } }).catch(() => {
    throw new Error("The server does not answer.");
  });
  if (!response.ok) throw new Error((await response.text()).trim().replace(/^body: /, ""));
  const session = await readSession();
  if (session.scope === "read" || session.scope === "admin") return session;
  await logOut();
  throw new Error(`The token has the scope ${session.scope ?? "of nothing"}; the page needs read or admin.`);
}

/** End the session, and forget what this browser keeps of it, such as the history of queries. */
export async function logOut() {
  forget();
  await fetch("logout", { method: "POST" }).catch(() => null);
}
