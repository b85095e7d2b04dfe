"""The shapes of the messages that a query chooses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from puppylog.model.logql.tree import LogQuery
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.counting.patterns import find_patterns
from puppylog.monitor.logql.asking import Asking, Within
from puppylog.monitor.range import Range
from puppylog.monitor.search import Search
from puppylog.stores.base import Value

_MAX_PATTERNS: Final = 300
_VARYING: Final = "<_>"


@dataclass(frozen=True)
class _ChosenSearch(Search):
    """A search whose condition has bound values."""

    values: Mapping[str, Value] = field(default_factory=dict)

    def parameters(self) -> dict[str, Value]:
        return {**super().parameters(), **self.values}


def find_entry_patterns(asking: Asking, query: LogQuery, within: Within) -> list[tuple[str, int]]:
    """Return the most frequent shapes, each with its number of entries. ``<_>`` stands for what varies."""
    rendering = asking.rendering()
    condition = rendering.condition(asking.choose(query).condition)
    bounds = within.parameters()
    range_ = Range(datetime.fromisoformat(bounds["since"]), datetime.fromisoformat(bounds["until"]))
    search = _ChosenSearch(condition, range_, values=rendering.values)
    found = find_patterns(asking.reader, search, dialect=dialect_of(asking.reader), patterns=_MAX_PATTERNS)
    return [(pattern.shape.replace("*", _VARYING), pattern.count) for pattern in found.patterns]
