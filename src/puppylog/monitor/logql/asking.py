"""A store, and one query in LogQL: what every answer begins with."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from puppylog.model.logql.labels import STREAM_LABELS, Labels, is_known, make_labels
from puppylog.model.logql.translation import Chosen, translate
from puppylog.model.logql.tree import (
    AllOf,
    AnyOf,
    FieldOf,
    Keep,
    LabelFilter,
    LabelFormat,
    LabelTest,
    LineFormat,
    LogQuery,
    Matcher,
)
from puppylog.monitor.attributes import find_attributes
from puppylog.monitor.condition import DescribedReader, dialect_of
from puppylog.monitor.logql.fields import find_aliases
from puppylog.monitor.logql.sql import Rendering
from puppylog.monitor.logql.streams import read_stream_labels

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST_US: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Within:
    """A range of time in nanoseconds since the epoch, without its end."""

    start_ns: int
    end_ns: int

    def parameters(self) -> dict[str, str]:
        """Return the values of ``$since`` and ``$until``. Records have microseconds, so both ends are rounded up."""
        return bounds(-(-self.start_ns // 1000), -(-self.end_ns // 1000))


def bounds(since_us: int, until_us: int) -> dict[str, str]:
    """Return the values of ``$since`` and ``$until``, given in microseconds since the epoch."""
    return {"since": _instant(since_us), "until": _instant(until_us)}


def _instant(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=min(max(at_us, _FIRST_US), _LAST_US))).isoformat()


@dataclass
class Asking:
    """Asks a store for what a query chooses.

    Attributes:
        reader: the store.
        written: the text of the query, for errors.
    """

    reader: DescribedReader
    written: str = ""

    @cached_property
    def streams(self) -> Mapping[int, Mapping[str, str]]:
        """The labels of every stream, by its id."""
        return read_stream_labels(self.reader)

    def stream_of(self, stream_id: int) -> Mapping[str, str]:
        """Return the labels of a stream. It may be newer than the streams that are known."""
        if stream_id not in self.streams:
            self.__dict__["streams"] = read_stream_labels(self.reader)
        return self.streams.get(stream_id, {})

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """Attributes of the newest records, each with an example."""
        return find_attributes(self.reader, [], dialect_of(self.reader))

    def rendering(self) -> Rendering:
        """Return what renders one query."""
        return Rendering(dialect_of(self.reader))

    def labels_for(self, names: Iterable[str]) -> Labels:
        """Return the labels before any stage. The store is asked for its attributes only if a name may be one."""
        own = frozenset(name for labels in self.streams.values() for name in labels if name not in STREAM_LABELS)
        unknown = [name for name in names if not is_known(name) and name not in own]
        return make_labels(self.attributes if unknown else (), find_aliases(unknown), own)

    def choose(self, query: LogQuery, also: Iterable[str] = ()) -> Chosen:
        """Return the condition of a query, and its labels.

        Args:
            query: the query.
            also: names of labels that are asked for in addition to those in the query.
        """
        return translate(query, self.labels_for([*iter_names(query), *also]), self.streams, self.written)


def iter_names(query: LogQuery) -> Iterator[str]:
    """Yield the names of labels in a query."""
    yield from (matcher.name for matcher in query.matchers)
    for stage in query.stages:
        match stage:
            case LabelFilter(test):
                yield from _iter_tested(test)
            case LineFormat(template):
                yield from (part.name for part in template if isinstance(part, FieldOf))
            case LabelFormat(changes):
                for _, change in changes:
                    parts = [FieldOf(change)] if isinstance(change, str) else change
                    yield from (part.name for part in parts if isinstance(part, FieldOf))
            case Keep(_, labels):
                yield from (label if isinstance(label, str) else label.name for label in labels)


def _iter_tested(test: LabelTest) -> Iterator[str]:
    match test:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _iter_tested(part)
        case Matcher(name):
            yield name
        case _:
            yield test.name
