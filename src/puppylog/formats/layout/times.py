"""Which of the times that a layout tells becomes the record's, and of which fields it is made."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from puppylog.formats.layout.fields import Field, Token
from puppylog.formats.layout.program import Kind

WHOLE: Final = frozenset({Kind.ACCESS, Kind.ISO, Kind.EPOCH})
PARTS: Final = frozenset(kind for kind in Kind if kind >= Kind.YEAR)

_YEARS: Final = frozenset({Kind.YEAR, Kind.YEAR_OF_CENTURY})
_MONTHS: Final = frozenset({Kind.MONTH, Kind.MONTH_NAME})
_HOURS: Final = frozenset({Kind.HOUR, Kind.HOUR_OF_TWELVE})


def choose_time(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with the record's time in its parts, and all other times as texts.

    The finest one is chosen; of equal ones the first, and rather when a request began than when it ended. One that is
    given in parts is chosen only if they make a day and an hour.
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
    if _make_a_time(pieces) and (fractions or not whole):
        return pieces
    return [*whole[:1], *fractions[:1]] if whole else []


def _make_a_time(pieces: Sequence[Field]) -> bool:
    kinds = {part.kind for piece in pieces for part in piece.parts if isinstance(part, Field)}
    if kinds & WHOLE:
        return True
    return all(kinds & group for group in (_YEARS, _MONTHS, {Kind.DAY}, _HOURS))


def _as_text(field: Field) -> Field:
    if field.kind is Kind.ACCESS:
        return replace(field, kind=Kind.STAMP, clock="")
    return replace(field, kind=Kind.NUMBER if field.kind is Kind.EPOCH else Kind.TEXT, size=0, clock="", parts=())
