"""From the text of a query to its tree: a parser that reads from left to right and says where it stopped.

``not`` and ``-`` bind tightest, then ``and``, which may be left out, then ``or``.
"""

import re
from typing import Final

from puppylog.model.query.scanning import find_bare, read_bare, read_quoted, read_regex, refuse, skip_blanks
from puppylog.model.query.tree import (
    OPERATORS,
    And,
    AnyText,
    FieldRegex,
    FieldTest,
    Has,
    Name,
    Not,
    Operator,
    Or,
    Query,
    Regex,
    Span,
    Value,
)

MAX_LENGTH: Final = 1000
MAX_DEPTH: Final = 6  # an expression may be nested 20 deep, and a test in it is up to 6 deep

_NAME: Final = re.compile(r"[A-Za-z_@][\w.@-]*")
_OPERATOR: Final = re.compile("|".join(["=~", *OPERATORS, "~"]))
_COMPARISON: Final = re.compile(r"!=|<=|>=|=~|=|<|>|~")
_KEYWORDS: Final = frozenset({"and", "or", "not", "AND", "OR", "NOT"})
_QUOTE_IT: Final = "put a text with such characters into quotes"


def parse_query(text: str) -> Query:
    """Return the tree of a query.

    Raises:
        SearchError: it is not a query; the error says where, and what to write instead.
    """
    if len(text) > MAX_LENGTH:
        raise refuse(text, MAX_LENGTH, f"it has {len(text):,} characters, at most {MAX_LENGTH:,} are allowed")
    for at, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise refuse(text, at, "no store can keep this character")
    parser = _Parser(text)
    query = parser.any_of(0)
    if parser.at < len(text):
        raise refuse(text, parser.at, "this closing parenthesis has no opening one")
    return query


class _Parser:
    """Reads one query; ``at`` is the position of the next character, and never a blank."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = skip_blanks(text, 0)

    def any_of(self, depth: int) -> Query:
        """Read tests that ``or`` joins, up to a closing parenthesis or the end."""
        parts = [self._all_of(depth)]
        while self._take_keyword("or"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Or(_flat(Or, parts))

    def _all_of(self, depth: int) -> Query:
        parts = [self._negated(depth)]
        while True:
            if self._take_keyword("and"):
                parts.append(self._negated(depth))
            elif self.at >= len(self._text) or self._text[self.at] == ")" or self._keyword() == "or":
                return parts[0] if len(parts) == 1 else And(_flat(And, parts))
            else:
                parts.append(self._negated(depth))

    def _negated(self, depth: int) -> Query:
        is_negated = False
        while True:
            start = self.at
            if self._take_keyword("not"):
                is_negated = not is_negated
            elif self._text.startswith("-", start):
                self.at += 1
                if self.at >= len(self._text) or self._text[self.at].isspace():
                    raise refuse(self._text, start, "a test is missing after this -", _QUOTE_IT)
                is_negated = not is_negated
            else:
                break
        part = self._primary(depth)
        if not is_negated:
            return part
        return part.part if isinstance(part, Not) else Not(part)

    def _primary(self, depth: int) -> Query:
        if self.at >= len(self._text):
            raise refuse(self._text, self.at, "a test is missing at the end", "write a word or field:value")
        if self._keyword():
            raise refuse(self._text, self.at, "a test is missing here", "put the word into quotes to search for it")
        match self._text[self.at]:
            case "(":
                return self._parenthesis(depth)
            case ")":
                raise refuse(self._text, self.at, "a test is missing before this parenthesis")
            case '"':
                return self._quoted()
            case "/":
                return AnyText(self._regex())
        return self._bare()

    def _parenthesis(self, depth: int) -> Query:
        start = self.at
        if depth >= MAX_DEPTH:
            raise refuse(self._text, start, f"it is nested more than {MAX_DEPTH} deep")
        self._move(start + 1)
        inner = self.any_of(depth + 1)
        if self.at >= len(self._text):
            raise refuse(self._text, start, "this parenthesis is not closed")
        self._move(self.at + 1)
        return inner

    def _quoted(self) -> Query:
        """Read a phrase, or the name of a field in quotes and its test."""
        value = read_quoted(self._text, self.at)
        end = value.span.end
        if operator := _OPERATOR.match(self._text, end):
            return self._test(Name(value.text, value.span), operator.start())
        if not value.text:
            raise refuse(self._text, self.at, "the text is empty")
        self._move(end)
        return AnyText(value)

    def _bare(self) -> Query:
        start = self.at
        name = _NAME.match(self._text, start)
        operator = _OPERATOR.match(self._text, name.end()) if name else _OPERATOR.match(self._text, start)
        if name and operator:
            return self._test(Name(name[0], Span(start, name.end())), operator.start())
        if operator:
            raise refuse(self._text, start, f"the name of a field is missing before {operator[0]}", _QUOTE_IT)
        end = find_bare(self._text, start)
        after = skip_blanks(self._text, end)
        if _COMPARISON.match(self._text, after):
            if name is None or name.end() != end:
                advice = "put a name with such characters into quotes"
                raise refuse(self._text, start, "this is not a valid field name", advice)
            return self._test(Name(name[0], Span(start, end)), after)
        value = read_bare(self._text, start, end)
        if not any(value.parts):
            raise refuse(self._text, start, "a * alone finds every record", "leave it out, or write has:field")
        self._move(end)
        return AnyText(Value(_without_ends(value.parts), span=value.span))

    def _test(self, name: Name, at: int) -> Query:
        """Read the operator at ``at``, and the value after it."""
        found = _OPERATOR.match(self._text, at)
        operator = found[0] if found else ":"
        self.at = at + len(operator)
        if operator == ":":
            if more := _COMPARISON.match(self._text, self.at):
                operator, self.at = more[0], more.end()
            elif self.at >= len(self._text) or self._text[self.at].isspace():
                advice = f'to search for this text, write "{name.text}:"'
                raise refuse(self._text, self.at, "a value is missing right after the colon", advice)
        if operator != ":":
            self.at = skip_blanks(self._text, self.at)
        if operator in {"~", "=~"}:
            return FieldRegex(name, self._regex() if self._text.startswith("/", self.at) else self._pattern(operator))
        value = self._value(operator)
        if name.text == "has" and operator == ":":
            return Has(Name(value.text, value.span))
        return FieldTest(name, _operator(operator), value)

    def _value(self, operator: str) -> Value:
        start = self.at
        if self._text.startswith('"', start):
            value = read_quoted(self._text, start)
        else:
            end = find_bare(self._text, start)
            if end == start:
                raise refuse(self._text, start, f"a value is missing after {operator}")
            value = read_bare(self._text, start, end)
        self._move(value.span.end)
        return value

    def _regex(self) -> Regex:
        regex = read_regex(self._text, self.at)
        self._check_regex(regex)
        self._move(regex.span.end + 1)
        return regex

    def _pattern(self, operator: str) -> Regex:
        """Read a regular expression without slashes, in quotes or bare."""
        value = self._value(operator)
        start = value.span.start + value.is_quoted
        regex = Regex(
            value.text if value.is_quoted else self._text[start : value.span.end], Span(start, value.span.end)
        )
        self._check_regex(regex)
        return regex

    def _check_regex(self, regex: Regex) -> None:
        from puppylog.model.regex import RegexError, parse_regex  # noqa: PLC0415 - most queries have no regular expression

        try:
            parse_regex(regex.pattern)
        except RegexError as error:
            position = min(regex.span.start + error.start, len(self._text))
            raise refuse(self._text, position, f"in the regular expression, {error.cause}") from None

    def _keyword(self) -> str:
        """Return the keyword at the current position, in lower case, or nothing."""
        end = find_bare(self._text, self.at)
        word = self._text[self.at : end]
        return word.lower() if word in _KEYWORDS else ""

    def _take_keyword(self, word: str) -> bool:
        if self._keyword() != word:
            return False
        self._move(self.at + len(word))
        return True

    def _move(self, at: int) -> None:
        self.at = skip_blanks(self._text, at)


def _operator(written: str) -> Operator:
    return next(operator for operator in OPERATORS if operator == written)


def _flat(kind: type[And] | type[Or], parts: list[Query]) -> tuple[Query, ...]:
    """Return the parts with those of the same kind taken apart: parentheses among them change nothing."""
    return tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))


def _without_ends(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return a word without a ``*`` at its ends: it is looked for anywhere in a text."""
    kept = [part for part in parts if part]
    return tuple(kept)
