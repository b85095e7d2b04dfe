// The help on queries.
import { dialog } from "../lib/dialog.js";
import { h } from "../lib/dom.js";

const ROWS = [
  ["timeout", "any text contains this word; case is ignored"],
  ['"no space"', "any text contains this phrase"],
  ["time*out", "any characters may stand for the star"],
  ["/t[0-9]+x/", "any text matches the regular expression"],
  ["request_method:get", "the field equals this text; case is ignored"],
  ["request_route:/shop/*", "the field begins with this text"],
  ["host=Web1", "the field is exactly this"],
  ["status_code>=500", "the number is =, !=, <, <=, > or >= this"],
  ["severity>=warning", "at least this severe"],
  ["message~/took [0-9]+/", "the field matches the regular expression"],
  ["has:user", "the record has the field"],
  ["-x, not x", "what x does not find"],
  ["x y, x or y, (x)", "both; one of them; parentheses group"],
];

export function openSyntax() {
  const rows = ROWS.map(([query, meaning]) => h("tr", null, h("th", { scope: "row" }, h("code", null, query)), h("td", null, meaning)));
  const head = h("tr", null, h("th", { scope: "col" }, "You write"), h("th", { scope: "col" }, "It finds records in which"));
  dialog({
    title: "How to write a query",
    class: "syntax",
    body: [
      h("table", { class: "syntax-table" }, h("thead", null, head), h("tbody", null, rows)),
      h("p", null, "A click on a value adds it to the query, its minus leaves it out. Arrow up shows earlier queries."),
    ],
  });
}
