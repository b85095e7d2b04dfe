/** The frame of the page: session, views, top bar, banner. */
import * as address from "./lib/address.js";
import * as api from "./lib/api.js";
import { fill, h } from "./lib/dom.js";
import * as keys from "./lib/keys.js";
import { describeError } from "./lib/query.js";
import { say, toast } from "./lib/notices.js";
import * as range from "./lib/range.js";
import * as times from "./lib/times.js";
import { openLogin, readSession } from "./lib/session.js";
import { makeTopBar, VIEWS } from "./lib/topbar.js";
import { watchStatus } from "./lib/status.js";

/** What views get. @typedef {typeof app} App */
const app = {
  address, api, keys, range, times, say, toast,
  /** Whether the token may change something: silence, acknowledge, replay. */
  mayChange: () => session.scope === "admin",
};

/** @type {import("./lib/session.js").Session} */
let session = { needs_token: false, name: null, scope: null };
const content = /** @type {HTMLElement} */ (document.getElementById("content"));
/** @type {{view: string, container: HTMLElement, opened: {update: (address: address.Address) => void, close: () => void} | null} | null} */
let current = null;

/** Show the view of the address. @param {address.Address} now */
async function show(now) {
  const isLater = current !== null;
  const view = VIEWS.find((one) => one.name === now.view) ?? VIEWS[0];
  topBar.update(view.name);
  if (current?.view === view.name) return current.opened?.update(now);
  current?.opened?.close();
  const container = h("div", { class: "view", data: { view: view.name } });
  const mine = (current = { view: view.name, container, opened: /** @type {any} */ (null) });
  fill(content, container);
  document.title = `${view.title} · Puppylog`;
  if (isLater) say(view.title);
  try {
    const module = await import(`./views/${view.name}.js`);
    if (current !== mine) return;
    mine.opened = module.open(container, app);
    mine.opened.update(address.read());
  } catch (error) {
    if (current === mine) fill(container, describeError(error));
    console.error(error);
  }
}

const topBar = makeTopBar(app);
document.getElementById("skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // the address is the state
  content.focus();
});

async function start() {
  api.setLogin(async () => {
    session = await openLogin();
    topBar.setSession(session);
  });
  session = await readSession();
  topBar.setSession(session);
  if (session.scope === null || session.scope === "ingest") await api.logIn();
  address.onChange(show);
  watchStatus(app, topBar);
  await show(address.read());
}

start();
