"""The columns of rejected lines, for searches among them.

A rejected line is bytes that may not be valid UTF-8, and no store decodes invalid UTF-8. So its hexadecimal digits are
matched against a regular expression of valid UTF-8 first. In a line that is not valid, or that has a NUL, which
PostgreSQL cannot keep in a text, every byte outside ASCII becomes a question mark. This is plain SQL without a
function of Puppylog's, so that it works for a role that may only read, and on the workers of Citus.
"""

from typing import Final

from puppylog.model.expression.term import Term, Type, compose

_UTF_8: Final = (
    "^(?:0[1-9a-f]|[1-7][0-9a-f]|c[2-9a-f][89ab][0-9a-f]|d[0-9a-f][89ab][0-9a-f]|e0[ab][0-9a-f][89ab][0-9a-f]"
    "|e[1-9abcef][89ab][0-9a-f][89ab][0-9a-f]|ed[89][0-9a-f][89ab][0-9a-f]"
    "|f0[9ab][0-9a-f][89ab][0-9a-f][89ab][0-9a-f]|f[1-3][89ab][0-9a-f][89ab][0-9a-f][89ab][0-9a-f]"
    "|f48[0-9a-f][89ab][0-9a-f][89ab][0-9a-f])*$"
)
"""Bytes of UTF-8 without a NUL, in hexadecimal digits."""


def _ascii_digits(digits: str) -> str:
    """Return SQL for the digits with those of a question mark for each byte that is not ASCII."""
    pairs = f"REGEXP_REPLACE({digits}, '(..)', '\\1 ', 'g')"  # a blank after each byte keeps the bytes apart
    return f"REPLACE(REGEXP_REPLACE({pairs}, '(?:00|[89a-f][0-9a-f]) ', '3f ', 'g'), ' ', '')"


_DUCKDB_DIGITS: Final = "LOWER(HEX(line))"
_DUCKDB: Final = (
    f"(CASE WHEN REGEXP_MATCHES({_DUCKDB_DIGITS}, '{_UTF_8}') THEN DECODE(line) "
    f"ELSE DECODE(UNHEX({_ascii_digits(_DUCKDB_DIGITS)})) END)"
)
_POSTGRES_DIGITS: Final = "ENCODE(line, 'hex')"
_POSTGRES: Final = (
    f"(CASE WHEN {_POSTGRES_DIGITS} ~ '{_UTF_8}' THEN CONVERT_FROM(line, 'UTF8') "
    f"ELSE CONVERT_FROM(DECODE({_ascii_digits(_POSTGRES_DIGITS)}, 'hex'), 'UTF8') END)"
)


def reject_column(name: str) -> Term:
    """Return the term of one of REJECT_COLUMNS."""
    if name == "line":
        return compose(Type.TEXT, name, duckdb=_DUCKDB, postgres=_POSTGRES)
    return compose(Type.TIMESTAMPTZ if name == "rejected_at" else Type.TEXT, name)
