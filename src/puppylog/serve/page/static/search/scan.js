// Finds the parts of a query as model/query/parsing.py does: the same blanks, names, quotes and operators.

const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const BLANKS = new RegExp(`[${BLANK}]*`, "y");
const BARE = new RegExp(`(?:\\\\[\\\\*"():=<>~!\\-/ ]|[^${BLANK}()"])+`, "y");
const QUOTED = /"((?:\\[^]|[^"\\])*)"/y;
const REGEX = new RegExp(`/((?:\\\\[^]|[^/\\\\]|/(?![${BLANK})]|$))+)/(?=[${BLANK})]|$)`, "y");
const NAME = /[A-Za-z_@][\p{L}\p{N}_.@-]*/uy;
const OPERATOR = /=~|!=|<=|>=|:|=|<|>|~/y;
const COMPARISON = /!=|<=|>=|=~|=|<|>|~/y;
const MAX_CHARACTERS = 1000;
const MAX_DEPTH = 6;
const KEYWORD = /^(?:and|or|not|AND|OR|NOT)$/;

/**
 * A test of the outermost level of a query.
 * @typedef {object} Test
 * @property {number} start where it begins, with its minus
 * @property {number} end
 * @property {string} text the test without minus and "not"
 * @property {boolean} isNegated
 * @property {"field"|"has"|"regex"|"word"|"group"} kind
 * @property {string} [name] of the field
 * @property {string} [operator]
 * @property {string} [value]
 * @property {boolean} [hasStar] a star in the value stands for any characters
 */

/** The text is no query. */
class Unreadable extends Error {}

/** @param {RegExp} pattern @param {string} text @param {number} at */
function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * Returns the tests of the outermost level, and whether "or" joins them; null of a text that is no query.
 * @param {string} text
 * @returns {{tests: Test[], isOr: boolean}|null}
 */
export function readTests(text) {
  if (text.length > 2 * MAX_CHARACTERS || [...text].length > MAX_CHARACTERS) return null;
  const scanner = new Scanner(text);
  if (scanner.at === text.length) return { tests: [], isOr: false };
  try {
    const found = scanner.readAny(0);
    return scanner.at === text.length ? found : null;
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

class Scanner {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.move(0);
  }

  /** @param {number} at */
  move(at) {
    this.at = at + (match(BLANKS, this.text, at)?.[0].length ?? 0);
  }

  keyword() {
    const word = match(BARE, this.text, this.at)?.[0] ?? "";
    return KEYWORD.test(word) ? word.toLowerCase() : "";
  }

  /** @param {string} word */
  take(word) {
    if (this.keyword() !== word) return false;
    this.move(this.at + word.length);
    return true;
  }

  /** @param {number} depth of parentheses */
  readAny(depth) {
    if (depth > MAX_DEPTH) throw new Unreadable();
    const tests = [];
    let isOr = false;
    for (;;) {
      tests.push(this.readTest(depth));
      if (this.at === this.text.length || this.text[this.at] === ")") return { tests, isOr };
      if (this.take("or")) isOr = true;
      else this.take("and");
    }
  }

  /** @param {number} depth @returns {Test} */
  readTest(depth) {
    const start = this.at;
    let isNegated = false;
    for (;;) {
      if (this.take("not")) isNegated = !isNegated;
      else if (this.text[this.at] === "-") {
        this.at += 1;
        const after = this.at;
        this.move(after);
        if (this.at !== after || after === this.text.length) throw new Unreadable();
        isNegated = !isNegated;
      } else break;
    }
    const from = this.at;
    if (from === this.text.length || this.keyword()) throw new Unreadable();
    const found = this.readOne(depth);
    const end = this.text.slice(0, this.at).replace(new RegExp(`[${BLANK}]+$`), "").length;
    const kept = Math.max(end, found.end ?? 0);
    return { kind: "word", ...found, start, end: kept, text: this.text.slice(from, kept), isNegated };
  }

  /** @param {number} depth @returns {Partial<Test>} */
  readOne(depth) {
    const first = this.text[this.at];
    if (first === "(") {
      this.move(this.at + 1);
      this.readAny(depth + 1);
      if (this.text[this.at] !== ")") throw new Unreadable();
      const end = this.at + 1;
      this.move(end);
      return { kind: "group", end };
    }
    if (first === ")") throw new Unreadable();
    if (first === '"') {
      const { value, end } = this.quoted(this.at);
      if (match(OPERATOR, this.text, end)) return this.readField(value, end);
      if (!value) throw new Unreadable();
      this.move(end);
      return { value, end };
    }
    if (first === "/") return { kind: "regex", ...this.regex() };
    return this.readBare();
  }

  /** @returns {Partial<Test>} */
  readBare() {
    const name = match(NAME, this.text, this.at)?.[0] ?? "";
    if (match(OPERATOR, this.text, this.at + name.length)) {
      if (!name) throw new Unreadable();
      return this.readField(name, this.at + name.length);
    }
    const bare = match(BARE, this.text, this.at)?.[0] ?? "";
    const end = this.at + bare.length;
    const before = this.at;
    this.move(end);
    if (match(COMPARISON, this.text, this.at)) {
      if (!name || name !== bare) throw new Unreadable();
      return this.readField(name, this.at);
    }
    if (!bare.replaceAll("*", "")) throw new Unreadable();
    return { value: this.text.slice(before, end), end };
  }

  /** @param {string} name @param {number} at @returns {Partial<Test>} */
  readField(name, at) {
    let operator = match(OPERATOR, this.text, at)?.[0] ?? ":";
    this.at = at + operator.length;
    const more = operator === ":" && match(COMPARISON, this.text, this.at);
    if (more) {
      operator = more[0];
      this.at += operator.length;
    }
    if (operator !== ":") this.move(this.at);
    if (operator.endsWith("~") && this.text[this.at] === "/") return { kind: "regex", name, operator, ...this.regex() };
    const value = this.value(operator);
    if (operator.endsWith("~")) return { kind: "regex", name, operator, ...value };
    return name === "has" && operator === ":" ? { kind: "has", ...value, name: value.value } : { kind: "field", name, operator, ...value };
  }

  /** @param {string} operator */
  value(operator) {
    if (this.text[this.at] === '"') {
      const { value, end } = this.quoted(this.at);
      this.move(end);
      return { value, end, hasStar: false };
    }
    const bare = match(BARE, this.text, this.at)?.[0];
    if (!bare) throw new Unreadable();
    const end = this.at + bare.length;
    this.move(end);
    const hasStar = operator === ":" && bare.replace(/\\[\\*"():=<>~!\-/ ]/g, "").includes("*");
    return { value: bare.replace(/\\([\\*"():=<>~!\-/ ])/g, "$1"), end, hasStar };
  }

  /** @param {number} at */
  quoted(at) {
    const found = match(QUOTED, this.text, at);
    if (!found) throw new Unreadable();
    return { value: found[1].replace(/\\(["\\])/g, "$1"), end: at + found[0].length };
  }

  regex() {
    const found = match(REGEX, this.text, this.at);
    if (!found) throw new Unreadable();
    const end = this.at + found[0].length;
    this.move(end);
    return { value: found[1], end };
  }
}
