"""The doctor's finding about records whose lines did not say when they were written."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

from puppylog.model.finding import Finding, Health
from puppylog.model.source import name_source
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

_HOURS: Final = 24
_COUNTED_S: Final = 2.0
"""For how many seconds records are counted: hour by hour, the newest first."""

_SHOWN_STREAMS: Final = 3
_ADVICE: Final = (
    "'puppylog collector detect FILE' shows how its lines are read; 'puppylog collector reread SOURCE' with --format "
    "or --tz reads them again"
)


def iter_untimed_findings(reader: RecordReader) -> Iterator[Finding]:
    """Yield a note if records of the last day have no time of their own, or one in a zone with several meanings."""
    started = time.monotonic()
    counts: Counter[str] = Counter()
    streams: Counter[str] = Counter()
    for hour in range(_HOURS):
        if time.monotonic() - started > _COUNTED_S:
            break
        values = {"from_hour": hour + 1, "to_hour": hour or -1}  # clocks may be ahead of the store's by an hour
        for row in reader.query(_QUERIES["untimed_records"], values).to_pylist():
            counts.update({name: row[name] for name in ("before", "read", "in_zones")})
            streams[row["source_uri"]] += row["before"] + row["read"] + row["in_zones"]
        counts["hours"] += 1
    if streams:
        yield Finding("record times", Health.NOTE, _describe(counts, streams), _ADVICE)


def _describe(counts: Counter[str], streams: Counter[str]) -> str:
    parts = [
        f"{counts[name]:,} {one if counts[name] == 1 else many} {what}"
        for name, one, many, what in (
            ("before", "has", "have", "the time of the record before"),
            ("read", "has", "have", "the time of reading"),
            ("in_zones", "names", "name", "a zone with several meanings, which --tz decided"),
        )
        if counts[name]
    ]
    most = ", ".join(f"{name_source(uri)} ({count:,})" for uri, count in streams.most_common(_SHOWN_STREAMS))
    others = f" and {len(streams) - _SHOWN_STREAMS} more" if len(streams) > _SHOWN_STREAMS else ""
    hours = counts["hours"]
    span = "day" if hours == _HOURS else f"{hours} hours" if hours > 1 else "hour"
    return f"of the records of the last {span}, {'; '.join(parts)}; most of them in {most}{others}"
