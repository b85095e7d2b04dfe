// The warning that alerts are not evaluated, so that the states shown may be out of date.
import { h, icon, logText } from "../lib/dom.js";
import * as numbers from "../lib/numbers.js";

/**
 * @param {{evaluator: string, age_s: number, is_old: boolean, error: string | null} | null} heartbeat null: none was ever
 * @param {{name: string, is_overdue: boolean}[]} alerts
 * @returns {Node | null} null if all is well
 */
export function describeHeartbeat(heartbeat, alerts) {
  if (!alerts.length) return null;
  const overdue = [...new Set(alerts.filter((row) => row.is_overdue).map((row) => row.name))];
  /** @type {any} */
  let text = null;
  if (heartbeat === null) text = "Nothing evaluates the alerts, and nothing ever has. ";
  else if (heartbeat.is_old) text = ["Nothing evaluates the alerts: ", logText(heartbeat.evaluator), ` last did so ${numbers.duration(Math.abs(heartbeat.age_s))} ago. `];
  else if (heartbeat.error) text = ["What evaluates the alerts has a problem: ", logText(heartbeat.error), ". "];
  else if (overdue.length) text = `${overdue[0]}${overdue.length > 1 ? ` and ${overdue.length - 1} more` : ""} was not evaluated when it was due. `;
  if (text === null) return null;
  return h("div", { class: "alert-warning" }, icon("warning"), h("div", null, text, "The states below may be out of date; ", h("code", null, "puppylog doctor"), " says more."));
}
