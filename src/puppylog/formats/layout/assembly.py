"""Makes a program of texts and fields: decides what each field fills, and where it ends."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from puppylog.formats.layout.fields import Field, Shape, Token, make_error
from puppylog.formats.layout.program import ATTRIBUTE, TEXT_COLUMNS, Ending, Kind, Program, Step
from puppylog.formats.layout.times import PARTS, WHOLE, choose_time

_QUOTE: Final = re.compile(r'(?<!\\)(?:\\\\)*"')
_REQUEST_COLUMNS: Final = ("request_method", "request_route", "request_proto", "message")


def assemble(written: str, tokens: Iterable[Token], *, has_escapes: bool = True) -> Program:
    """Return the program of a format string.

    Args:
        written: the string, for errors.
        tokens: the texts and fields of the string, in their order.
        has_escapes: whether the server escapes quotes in values.

    Raises:
        FormatError: there is no field, or the end of a field is ambiguous.
    """
    merged = _merge(choose_time(list(tokens)))
    prefix = merged[0] if merged and isinstance(merged[0], str) else ""
    pairs = _pair_with_literals(merged[1:] if prefix else merged)
    if not pairs:
        raise make_error(written, 0, "there is no field in it")
    fields = [field for field, _ in pairs]
    filled = assign_columns(fields)
    steps = []
    is_quoted = len(_QUOTE.findall(prefix)) % 2 == 1
    for place, (field, literal) in enumerate(pairs):
        following = fields[place + 1] if place + 1 < len(fields) else None
        ending = _find_ending(written, field, literal, following, is_quoted=is_quoted and has_escapes)
        size = field.size if ending is Ending.SIZED else 0
        steps.append(Step(filled[place][0], ending, size, *filled[place][1:], literal.encode()))
        is_quoted ^= len(_QUOTE.findall(literal)) % 2 == 1
    return Program(prefix.encode(), tuple(steps), any(field.kind in PARTS for field in fields))


def assign_columns(fields: Sequence[Field]) -> list[tuple[Kind, int, bytes]]:
    """Return for each field its kind, the number of the column that it fills, and the name of its attribute.

    If several fields name one column, the best field fills it and the others become attributes. If several attributes
    have one name, all but the first are skipped.
    """
    best: dict[str, Field] = {}
    for field in fields:
        for target in _REQUEST_COLUMNS if field.kind is Kind.REQUEST else (field.column,):
            if target and (target not in best or field.rank > best[target].rank):
                best[target] = field
    names: set[str] = set()
    result = []
    for field in fields:
        is_time = field.kind in WHOLE or field.kind in PARTS
        if is_time or (field.column and best[field.column] is field):
            column = TEXT_COLUMNS.index(field.column) if field.column in TEXT_COLUMNS else ATTRIBUTE
            result.append((field.kind, column, b""))
            continue
        kind = field.attribute_kind if field.column else field.kind
        kind = Kind.SKIP if field.name in names else kind
        names.add(field.name)
        result.append((kind, ATTRIBUTE, field.name.encode()))
    return result


def _merge(tokens: Iterable[Token]) -> list[Token]:
    """Return the tokens with adjacent texts merged and empty texts removed."""
    merged: list[Token] = []
    for token in tokens:
        if token == "":
            continue
        last = merged[-1] if merged else None
        if isinstance(token, str) and isinstance(last, str):
            merged[-1] = last + token
        else:
            merged.append(token)
    return merged or [""]


def _pair_with_literals(tokens: Sequence[Token]) -> list[tuple[Field, str]]:
    """Return each field with the text after it."""
    pairs: list[tuple[Field, str]] = []
    for token in tokens:
        if isinstance(token, Field):
            pairs.append((token, ""))
        else:
            pairs[-1] = (pairs[-1][0], token)
    return pairs


def _find_ending(written: str, field: Field, literal: str, following: Field | None, *, is_quoted: bool) -> Ending:
    if field.size:
        return Ending.SIZED
    if is_quoted and literal.startswith('"'):
        return Ending.QUOTE
    if following is None:
        return Ending.REST
    if not literal:
        return _find_end_between(written, field, following)
    if literal.startswith(" "):
        return _find_ending_at_blank(written, field, literal, following)
    return Ending.ADDRESS if field.shape is Shape.ADDRESS and literal == ":" else Ending.LITERAL


def _find_end_between(written: str, field: Field, following: Field) -> Ending:
    if following.shape is Shape.PATH:
        return Ending.SLASH
    cause = f"there is no text between {field.written} and {following.written}, so the end of the first is ambiguous"
    raise make_error(written, following.at, cause)


def _find_ending_at_blank(written: str, field: Field, literal: str, following: Field) -> Ending:
    if field.kind is Kind.REQUEST:
        return Ending.AFTER_PROTO
    if literal == " " and following.column == "request_proto":
        return Ending.BEFORE_PROTO
    if literal.strip(" "):
        return Ending.LITERAL
    if field.shape is Shape.FREE:
        cause = f"{field.written} may have blanks, and only a blank ends it: write it in quotes"
        raise make_error(written, field.at, cause)
    return Ending.LIST if field.shape is Shape.LIST else Ending.LITERAL
