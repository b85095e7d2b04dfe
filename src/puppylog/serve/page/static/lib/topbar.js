/** The top bar: views with badges, zone, theme, session, help. */
import * as address from "./address.js";
import { dialog } from "./dialog.js";
import { fill, h, icon, iconButton } from "./dom.js";
import * as keys from "./keys.js";
import { keep } from "./kept.js";
import { menu } from "./menu.js";
import { logOut } from "./session.js";
import * as times from "./times.js";

export const VIEWS = [
  { name: "search", title: "Search", key: "s" }, { name: "patterns", title: "Patterns", key: "p" },
  { name: "metrics", title: "Metrics", key: "m" }, { name: "alerts", title: "Alerts", key: "a" },
  { name: "streams", title: "Streams", key: "t" }, { name: "rejects", title: "Rejected lines", key: "r" },
  { name: "sql", title: "SQL", key: "q" },
];

/** @param {any} _app */
export function makeTopBar(_app) {
  const badges = /** @type {Record<string, HTMLElement>} */ ({});
  const links = VIEWS.map((view) => {
    badges[view.name] = h("span", { class: "badge", hidden: true });
    return h("a", { href: `#/${view.name}`, data: { view: view.name } }, view.title, badges[view.name]);
  });
  fill(/** @type {Element} */ (document.getElementById("views")), links);
  const zone = h("button", { type: "button", class: "quiet-button", on: { click: switchZone } });
  const theme = iconButton("auto", "Theme", () => {});
  menu(theme, themeItems);
  const user = h("button", { type: "button", class: "quiet-button", hidden: true });
  const tools = /** @type {Element} */ (document.getElementById("tools"));
  fill(tools, zone, theme, user, iconButton("help", "Keys and help", openHelp));
  let session = /** @type {any} */ (null);
  let version = "";
  menu(user, () => [{ heading: `Token ${session?.name}, scope ${session?.scope}` }, { label: "Log out", onSelect: () => void logOut().then(() => location.reload()) }]);
  bindKeys();

  function openHelp() {
    dialog({ title: "Keys", body: makeHelp(version), class: "help" });
  }
  keys.bind("?", "Show this help", openHelp);

  /** Scroll the views, where they do not fit, to the one that is shown. */
  function reveal() {
    const [bar, link] = [links[0].parentElement, links.find((one) => one.hasAttribute("aria-current"))];
    if (link && bar && bar.scrollWidth > bar.clientWidth) link.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function update(/** @type {string} */ view) {
    for (const link of links) {
      const isCurrent = link.getAttribute("data-view") === view;
      if (isCurrent) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      link.setAttribute("href", isCurrent ? address.href({}, { keep: true }) : address.href({ view: link.getAttribute("data-view") ?? "search" }));
    }
    reveal();
    fill(zone, times.zone() === "UTC" ? "UTC" : shortZone());
    zone.setAttribute("aria-label", `Times in ${times.zoneName()}; change`);
    zone.title = `Times are in ${times.zoneName()}. Click to change between UTC and the zone of this browser.`;
  }

  return {
    update,
    /** @param {any} next */
    setSession(next) {
      session = next;
      user.hidden = !next.name;
      fill(user, icon("user"), h("span", { class: "user-name" }, next.name ?? ""));
      user.setAttribute("aria-label", `Session of token ${next.name}`);
    },
    /** @param {any} status */
    setStatus(status) {
      version = status.version;
    },
    /** @param {Record<string, {count: number, label: string}>} next */
    setBadges(next) {
      for (const [view, { count, label }] of Object.entries(next)) {
        const badge = badges[view];
        badge.hidden = count === 0;
        fill(badge, h("span", { aria: { hidden: "true" } }, count > 99 ? "99+" : count), h("span", { class: "visually-hidden" }, ` (${label})`));
        badge.title = label;
      }
      reveal();
    },
  };
}

function shortZone() {
  const part = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(new Date()).find((one) => one.type === "timeZoneName");
  return part?.value ?? "Local";
}

function switchZone() {
  address.go({ params: { tz: times.zone() === "UTC" ? null : "UTC" } }, { replace: true, keep: true });
}

function bindKeys() {
  for (const view of VIEWS)
    keys.bind(`g ${view.key}`, `Go to ${view.title}`, () => address.go({ view: view.name }));
  keys.bind("z", "Change between UTC and the zone of this browser", switchZone);
  keys.bind("T", "Change between light and dark", () => setTheme(isDark() ? "light" : "dark"));
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** @param {string} name "" for the system's */
function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  keep("theme", name || null);
}

function themeItems() {
  const chosen = document.documentElement.dataset.theme ?? "";
  return [["", "As the system"], ["light", "Light"], ["dark", "Dark"]].map(([name, label]) => ({ label, isChecked: chosen === name, onSelect: () => setTheme(name) }));
}

const SIGNS = /** @type {Record<string, string>} */ ({ ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "Space" });

/** A key as it is written on keyboards. @param {string} keys */
function nameKey(keys) {
  return keys.split(/(?<=.)\+/).map((key) => SIGNS[key] ?? key).join(" + ");
}

/** @param {string} version */
function makeHelp(version) {
  const groups = [...keys.list()].map(([group, bindings]) =>
    h("section", null, h("h3", null, group), h("dl", { class: "keys" }, bindings.map((one) => h("div", null, h("dt", null, one.keys.split(" ").map((key) => h("kbd", null, nameKey(key)))), h("dd", null, one.label))))));
  return [groups, version && h("p", { class: "quiet" }, `Puppylog ${version}`)];
}
