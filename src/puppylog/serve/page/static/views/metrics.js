// The metrics view: all metrics, or one (#/metrics/NAME).
import { openList } from "../metrics/list.js";
import { openOne } from "../metrics/one.js";

export const title = "Metrics";

/** @param {HTMLElement} container @param {import("../app.js").App} app */
export function open(container, app) {
  /** @type {{update: () => void, close: () => void} | null} */
  let part = null;
  let shown = "";
  return {
    /** @param {import("../lib/address.js").Address} now */
    update({ name, params }) {
      const wanted = `${name ?? ""} ${params.get("tz") ?? ""}`;
      if (part === null || wanted !== shown) {
        part?.close();
        part = name === null || name === "" ? openList(container, app) : openOne(container, app, name);
        document.title = `${name ? `${name} · ` : ""}Metrics · Puppylog`;
      }
      shown = wanted;
      part.update();
    },
    close: () => part?.close(),
  };
}
