"""Chooses the time of the record among the times that a layout has."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from puppylog.formats.layout.fields import Field, Token
from puppylog.formats.layout.program import Kind

# Kinds of fields that hold a whole instant, and kinds that hold one part of an instant, such as the month.
WHOLE: Final = frozenset({Kind.ACCESS, Kind.ISO, Kind.EPOCH})
PARTS: Final = frozenset(kind for kind in Kind if kind >= Kind.YEAR)

_YEARS: Final = frozenset({Kind.YEAR, Kind.YEAR_OF_CENTURY})
_MONTHS: Final = frozenset({Kind.MONTH, Kind.MONTH_NAME})
_HOURS: Final = frozenset({Kind.HOUR, Kind.HOUR_OF_TWELVE})


def choose_time(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with the time of the record divided into its parts, and with all other times as texts.

    A time when the request began is preferred to a time when it ended, then a time with fractions of a second, then the
    first time. A time in parts is chosen only if the parts include a day and an hour.
    """
    fields = [token for token in tokens if isinstance(token, Field) and token.clock]
    chosen = _choose(fields, "begin") or _choose(fields, "end")
    result: list[Token] = []
    for token in tokens:
        if not isinstance(token, Field) or not token.clock:
            result.append(token)
        elif token not in chosen:
            result.append(_as_text(token))
        else:
            result.extend(token.parts or (token,))
    return result


def _choose(fields: Sequence[Field], clock: str) -> list[Field]:
    whole = [field for field in fields if field.clock == clock and field.kind in WHOLE]
    pieces = [field for field in fields if field.clock == clock and field.parts]
    fine = [field for field in whole if field.has_fraction]
    fractions = [field for field in pieces if field.has_fraction]
    if fine:
        return fine[:1]
    if _are_complete(pieces) and (fractions or not whole):
        return pieces
    return [*whole[:1], *fractions[:1]] if whole else []


def _are_complete(pieces: Sequence[Field]) -> bool:
    kinds = {part.kind for piece in pieces for part in piece.parts if isinstance(part, Field)}
    if kinds & WHOLE:
        return True
    return all(kinds & group for group in (_YEARS, _MONTHS, {Kind.DAY}, _HOURS))


def _as_text(field: Field) -> Field:
    if field.kind is Kind.ACCESS:
        return replace(field, kind=Kind.STAMP, clock="")
    return replace(field, kind=Kind.NUMBER if field.kind is Kind.EPOCH else Kind.TEXT, size=0, clock="", parts=())
