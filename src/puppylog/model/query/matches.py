"""Which parts of a record's texts a query has found, so that a screen can show them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

# Longer texts are not searched: a text of more than a few screens is not read for its colours.
_MAX_CHARACTERS: Final = 20_000

Span: TypeAlias = tuple[int, int]
"""The index of the first character, and the index after the last one."""

Finder: TypeAlias = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Matches:
    """Finds the parts of texts that a query has found."""

    anywhere: Sequence[Finder] = ()
    by_field: Mapping[str, Sequence[Finder]] = field(default_factory=dict)  # a name of an attribute has no prefix

    def __bool__(self) -> bool:
        return bool(self.anywhere or self.by_field)

    def find(self, name: str, text: str) -> Sequence[Span]:
        """Return the found parts of the text of the column or attribute ``name``, from left to right."""
        finders = [*self.anywhere, *self.by_field.get(name, ())]
        if not finders or len(text) > _MAX_CHARACTERS:
            return ()
        return merge_spans([span for find in finders for span in find(text)])


def merge_spans(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order. Spans that overlap or touch become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
