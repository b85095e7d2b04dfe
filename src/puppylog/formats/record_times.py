"""Gives records their times: local stamps become instants, and a record without a stamp takes a time from elsewhere.

A record without a stamp takes the time of the record before it in the file. If no record is before it, it takes the
time of reading. Its attribute ``ts_source`` then says so: ``before`` or ``read``. Other records have no such attribute.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.repeated_hour import HourOfArrival, RepeatedHour
from puppylog.formats.rows import NO_TIME, Rows
from puppylog.model.record import RECORDS

ATTRIBUTE: Final = "ts_source"
"""The attribute that says where the time of a record comes from that has no stamp."""

BEFORE: Final = "before"
READ: Final = "read"

_CONTEXT: Final = re.compile(r"(.*?)(?:\nlast (-?[0-9]{1,18}))?", re.DOTALL)
_MARK: Final = rf'(?:, )?"{ATTRIBUTE}": "(?:{BEFORE}|{READ})"\}}$'
_UTC: Final = "UTC"
_NO_TIME: Final = pa.scalar(NO_TIME, pa.int64())


@dataclass(frozen=True, slots=True)
class FoundTimes:
    """The times of the records of one text."""

    ts: pa.Array  # timestamps in UTC
    sources: pa.Array | None = None  # strings: BEFORE, READ or null for each record; None if all records have stamps

    def mark(self, attributes: pa.Array) -> pa.Array:
        """Return the attributes of the records with ``ts_source`` added."""
        return attributes if self.sources is None else mark_sources(attributes, self.sources)

    def count(self, source: str) -> int:
        """Return the number of records that have their time from BEFORE or READ."""
        return 0 if self.sources is None else len(self.sources.filter(pc.equal(self.sources, source)))


@dataclass(slots=True)
class RecordTimes:
    """What the times of the next records of a file depend on: the time of the last record, and the repeated hour."""

    last_us: int | None = None
    """The time of the last record, in microseconds since the epoch; None if no record so far has a stamp."""
    hour: RepeatedHour = field(default_factory=RepeatedHour)

    @classmethod
    def open(cls, context: str) -> tuple[str, Self]:
        """Return a parser's context without the part that `extend` added, and the object that this part describes."""
        match = _CONTEXT.fullmatch(context)
        assert match is not None  # noqa: S101 - the expression matches every text
        rest, hour = RepeatedHour.open(match[1])
        return rest, cls(None if match[2] is None else int(match[2]), hour)

    def extend(self, context: str) -> str:
        """Return the context with the state of this object added."""
        context = self.hour.extend(context)
        return context if self.last_us is None else f"{context}\nlast {self.last_us}"

    def find(self, rows: Rows, read_at_us: int, zone: ZoneInfo) -> FoundTimes:
        """Return the times of records, which follow the records of the call before.

        Args:
            rows: the records.
            read_at_us: the time of reading, in microseconds since the epoch.
            zone: the time zone of stamps that name no zone.
        """
        ts_us, has_none = _resolve(rows, zone, self.hour.resolve)
        if has_none is None:
            if len(ts_us):
                self.last_us = ts_us[-1].as_py()
            return FoundTimes(_as_timestamps(ts_us))
        filled = pc.fill_null_forward(pc.if_else(has_none, pa.scalar(None, pa.int64()), ts_us))
        first = READ if self.last_us is None else BEFORE
        source = pc.if_else(filled.is_null(), pa.scalar(first), pa.scalar(BEFORE))
        at_first = read_at_us if self.last_us is None else self.last_us
        last_us = filled[-1].as_py()
        self.last_us = self.last_us if last_us is None else last_us
        filled = pc.fill_null(filled, pa.scalar(at_first, pa.int64()))
        return FoundTimes(_as_timestamps(filled), pc.if_else(has_none, source, pa.scalar(None, pa.string())))


@dataclass(frozen=True, slots=True)
class ArrivalTimes:
    """The times of messages that arrived at one time, from many clocks: each message is read by itself."""

    arrived_at_us: int
    """The time of arrival in microseconds since the epoch. A message without a stamp takes it."""

    def find(self, rows: Rows, read_at_us: int, zone: ZoneInfo) -> FoundTimes:
        """Return the times of the messages; see `RecordTimes.find`."""
        ts_us, has_none = _resolve(rows, zone, HourOfArrival(self.arrived_at_us).resolve)
        if has_none is None:
            return FoundTimes(_as_timestamps(ts_us))
        ts_us = pc.if_else(has_none, pa.scalar(read_at_us, pa.int64()), ts_us)
        return FoundTimes(_as_timestamps(ts_us), pc.if_else(has_none, pa.scalar(READ), pa.scalar(None, pa.string())))


def last_time_of(context: str) -> str:
    """Return the context of a parser that knows only the last time of another parser's context."""
    match = _CONTEXT.fullmatch(context)
    return "" if match is None or match[2] is None else f"\nlast {match[2]}"


def without_last_time(context: str) -> str:
    """Return the context without the time of the last record."""
    match = _CONTEXT.fullmatch(context)
    return context if match is None else match[1]


def mark_sources(attributes: pa.Array, sources: pa.Array) -> pa.Array:
    """Return attributes with ``ts_source`` as their last member.

    Args:
        attributes: JSON objects or null.
        sources: BEFORE or READ; null for attributes that are returned as they are.
    """
    marks = pc.binary_join_element_wise(f'"{ATTRIBUTE}": "', sources, '"}', "")
    extended = pc.binary_join_element_wise(pc.utf8_slice_codeunits(attributes, 0, -1), marks, ", ")
    alone = pc.binary_join_element_wise("{", marks, "")
    return pc.coalesce(extended, alone, attributes)


def find_untimed(records: pa.RecordBatch) -> pa.Array:
    """Return for each record of a parser whether the attributes end with ``ts_source``."""
    return pc.fill_null(pc.match_substring_regex(records["attributes"], _MARK), False)


def set_untimed(records: pa.RecordBatch, ts: pa.Array | pa.Scalar, source: str | None) -> pa.RecordBatch:
    """Give the records without a stamp another time.

    Args:
        records: as a parser returned them.
        ts: the time, or a time for each record, as timestamps in UTC.
        source: the value of ``ts_source``; None to remove the attribute.
    """
    is_untimed = find_untimed(records)
    attributes = records["attributes"]
    others = pc.replace_substring_regex(attributes, _MARK, "}")
    others = pc.if_else(pc.equal(others, "{}"), pa.scalar(None, pa.string()), others)
    if source is not None:
        others = mark_sources(others, pc.if_else(is_untimed, pa.scalar(source), pa.scalar(None, pa.string())))
    columns = dict(zip(RECORDS.names, records.columns, strict=True))
    columns["ts"] = pc.if_else(is_untimed, ts, records["ts"])
    columns["attributes"] = pc.if_else(is_untimed, others, attributes)
    return pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)


def _resolve(
    rows: Rows, zone: ZoneInfo, resolve: Callable[[pa.Array, ZoneInfo], pa.Array]
) -> tuple[pa.Array, pa.Array | None]:
    """Return the instants of the records, and whether each record has none; None if all records have one."""
    ts_us, has_none = rows.ts_us, pc.equal(rows.ts_us, _NO_TIME)
    is_any = bool(pc.any(has_none).as_py())
    if zone.key != _UTC:
        is_local = rows.is_local.cast(pa.bool_())
        if is_any:
            is_local = pc.and_not(is_local, has_none)
        ts_us = pc.replace_with_mask(ts_us, is_local, resolve(ts_us.filter(is_local), zone))
    return ts_us, has_none if is_any else None


def _as_timestamps(ts_us: pa.Array) -> pa.Array:
    return ts_us.view(RECORDS.field("ts").type)
