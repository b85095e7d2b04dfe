"""Reads selectors of streams and the stages after them."""

from collections.abc import Callable
from typing import Final

from puppylog.model.logql.label_tests import check_pattern, read_matcher, read_test
from puppylog.model.logql.lexing import Kind, Token
from puppylog.model.logql.reader import Reader
from puppylog.model.logql.template import read_template
from puppylog.model.logql.tree import (
    Decolorize,
    Keep,
    LabelFilter,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineOperator,
    LogQuery,
    Matcher,
    Parser,
    Stage,
    Template,
)

LINE_OPERATORS: Final[tuple[LineOperator, ...]] = ("|=", "!=", "|~", "!~", "|>", "!>")
_MAX_STAGES: Final = 100
_REFUSED: Final = {
    "pattern": "the lines are parsed when they are stored, so | pattern is not supported",
    "regexp": "the lines are parsed when they are stored, so | regexp is not supported",
}
_ALONE: Final = ("json", "logfmt", "unpack", "decolorize")
"""The stages that need nothing after them."""

_HOW_TO_PARSE: Final = "choose the format of the source with 'puppylog collector --format'"


def read_log_query(reader: Reader) -> LogQuery:
    """Read a selector and its stages."""
    at = reader.next.at
    matchers = read_matchers(reader)
    return LogQuery(matchers, read_stages(reader), at)


def read_matchers(reader: Reader) -> tuple[Matcher, ...]:
    """Read the matchers in braces."""
    reader.expect_sign("{")
    matchers: list[Matcher] = []
    while not reader.take_sign("}"):
        matchers.append(read_matcher(reader))
        if not reader.take_sign(",") and not reader.next.is_sign("}"):
            raise reader.refuse("a comma or the closing brace } is missing here")
    return tuple(matchers)


def read_stages(reader: Reader) -> tuple[Stage, ...]:
    """Read stages as long as there are some. ``| unwrap`` is not a stage."""
    stages: list[Stage] = []
    while True:
        if reader.next.is_sign(*LINE_OPERATORS):
            stages.append(_read_line_filter(reader))
        elif reader.next.is_sign("|") and not reader.after_next.is_name("unwrap"):
            reader.take()
            stages.append(_read_stage(reader))
        else:
            return tuple(stages)
        if len(stages) > _MAX_STAGES:
            raise reader.refuse(f"a query has at most {_MAX_STAGES} stages")


def _read_line_filter(reader: Reader) -> LineFilter:
    token = reader.take()
    operator = next(known for known in LINE_OPERATORS if known == token.text)
    values = [_read_line_value(reader, operator)]
    while reader.next.is_name("or") and reader.after_next.kind is Kind.TEXT:
        reader.take()
        values.append(_read_line_value(reader, operator))
    return LineFilter(operator, tuple(values), token.at)


def _read_line_value(reader: Reader, operator: LineOperator) -> str:
    if reader.next.is_name("ip"):
        raise reader.refuse("ip(…) is not supported", 'write a regular expression, such as |~ "10\\\\.0\\\\.[0-9.]+"')
    token = reader.expect(Kind.TEXT, "a quoted string")
    if operator in {"|~", "!~"}:
        check_pattern(reader.query, token.text, token.at)
    return token.text


def _read_stage(reader: Reader) -> Stage:
    token = reader.next
    is_alone = token.is_name(*_ALONE) and reader.after_next.is_sign("!=", "!~")  # then a filter of lines follows
    if token.kind is Kind.NAME and (is_alone or not _is_test(reader)):
        if token.text in _REFUSED:
            raise reader.refuse(_REFUSED[token.text], _HOW_TO_PARSE)
        read = _STAGES.get(token.text)
        if read is not None:
            return read(reader, reader.take())
    return LabelFilter(read_test(reader))


def _is_test(reader: Reader) -> bool:
    """Return whether a comparison begins here: a label may have the name of a stage."""
    return reader.after_next.is_sign("=", "!=", "=~", "!~", "==", ">", ">=", "<", "<=")


def _read_parser(reader: Reader, token: Token) -> Parser:
    kind = token.text
    while reader.next.kind is Kind.FLAG:
        flag = reader.take()
        if kind != "logfmt" or flag.text not in {"--strict", "--keep-empty"}:
            raise reader.refuse(f"| {kind} has no flag {flag.text}", at=flag.at)
    labels: list[tuple[str, str]] = []
    while kind != "unpack" and reader.next.kind is Kind.NAME:
        name = reader.take()
        labels.append((name.text, _read_key(reader) if reader.take_sign("=") else name.text))
        if not reader.take_sign(","):
            break
    match kind:
        case "json" | "logfmt" | "unpack":
            return Parser(kind, tuple(labels), token.at)
    raise AssertionError(kind)


def _read_key(reader: Reader) -> str:
    """Read the path of a key, such as ``"response.code"``; return it with dots between its parts."""
    token = reader.expect(Kind.TEXT, "the name of a key in quotes")
    key = token.text.replace('["', ".").replace('"]', "").removeprefix(".")
    if not key or set(key) & set('[]*"\\') or "" in key.split("."):
        raise reader.refuse("this is not a valid key", 'write "code", "response.code" or "[\\"code\\"]"', at=token.at)
    return key


def _read_line_format(reader: Reader, token: Token) -> LineFormat:
    text = reader.expect(Kind.TEXT, "a template in quotes")
    return LineFormat(read_template(reader.query, text.text, text.at), text.text, token.at)


def _read_label_format(reader: Reader, token: Token) -> LabelFormat:
    changes: list[tuple[str, str | Template]] = []
    written: list[str] = []
    while True:
        name = reader.expect(Kind.NAME, "the name of a label")
        reader.expect_sign("=")
        if reader.next.kind is Kind.TEXT:
            text = reader.take()
            changes.append((name.text, read_template(reader.query, text.text, text.at)))
            written.append(text.text)
        else:
            other = reader.expect(Kind.NAME, "the name of a label or a template in quotes").text
            changes.append((name.text, other))
            written.append(other)
        if not reader.take_sign(","):
            return LabelFormat(tuple(changes), tuple(written), token.at)


def _read_keep(reader: Reader, token: Token) -> Keep:
    labels: list[str | Matcher] = []
    while True:
        if _is_test(reader):
            labels.append(read_matcher(reader))
        else:
            labels.append(reader.expect(Kind.NAME, "the name of a label").text)
        if not reader.take_sign(","):
            return Keep(token.text == "drop", tuple(labels), token.at)


def _read_decolorize(_reader: Reader, token: Token) -> Decolorize:
    return Decolorize(token.at)


_STAGES: Final[dict[str, Callable[[Reader, Token], Stage]]] = {
    "json": _read_parser,
    "logfmt": _read_parser,
    "unpack": _read_parser,
    "line_format": _read_line_format,
    "label_format": _read_label_format,
    "keep": _read_keep,
    "drop": _read_keep,
    "decolorize": _read_decolorize,
}
