"""The condition on the segments of a metric that a query reads."""

from collections.abc import Sequence
from typing import TypeAlias

from puppylog.stores.base import Value

Segments: TypeAlias = Sequence[str | None] | None
"""Some segments; None for all. The segment None is that of the records for which the expression is null."""


def segments_of(segment: str | None) -> Segments:
    """Return the segments that a user means by one name: the empty name means those without a value, too.

    >>> segments_of("blog"), segments_of(""), segments_of(None)
    (['blog'], ['', None], None)
    """
    if segment is None:
        return None
    return [segment] if segment else [segment, None]


def render_segments(segments: Segments) -> tuple[str, dict[str, Value]]:
    """Return the SQL condition that a segment is one of these, and its parameters.

    A store reads only the parts of a table that may have the segments, which it cannot do with a condition on
    ``coalesce(segment, '')``.

    >>> render_segments(["blog", None])
    ('(segment IN ($segment_a) OR segment IS NULL)', {'segment_a': 'blog'})
    """
    if segments is None:
        return "true", {}
    named = [segment for segment in segments if segment is not None]
    parameters: dict[str, Value] = {f"segment_{letters_of(no)}": segment for no, segment in enumerate(named)}
    conditions = [f"segment IN ({', '.join(f'${name}' for name in parameters)})"] if parameters else []
    if len(named) < len(segments):
        conditions.append("segment IS NULL")
    return f"({' OR '.join(conditions) or 'false'})", parameters


def letters_of(no: int) -> str:
    """Return a number as letters, because names of parameters have no digits.

    >>> letters_of(0), letters_of(25), letters_of(26)
    ('a', 'z', 'aa')
    """
    name = ""
    while no >= 0:
        no, name = no // 26 - 1, chr(ord("a") + no % 26) + name
    return name
