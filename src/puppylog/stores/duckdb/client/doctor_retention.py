"""The doctor's finding about which records an embedded store keeps, and what keeps it from dropping the others."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from puppylog.model.finding import Finding, Health
from puppylog.model.number import format_bytes
from puppylog.model.period import format_period
from puppylog.model.retention import Retention
from puppylog.stores.base import RecordReader
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "doctor.sql")

_SETTINGS = load_queries("puppylog.stores.duckdb", "retention.sql")

_SUBJECT: Final = "retention"
_DAY: Final = timedelta(days=1)
_ARCHIVE: Final = (
    "make the archive's directory writable, or free disk space there; the records stay in the store until then, and "
    "collectors of a store that has reached its maximum size wait"
)
_LARGER: Final = "set a larger max_size, or log less"


def judge_retention(reader: RecordReader, directory: StoreDirectory) -> Finding:
    """Return the finding about what the store keeps, its size against the limit, and its last drop."""
    kept = _read_retention(reader)
    (state,) = reader.query(_QUERIES["retention_state"]).to_pylist()
    found = "; ".join([_describe_rules(kept), *_describe_state(state, directory, kept)])
    if state["error"] is not None:
        return Finding(_SUBJECT, Health.WRONG, f"old records cannot be dropped: {state['error']}; {found}", _ARCHIVE)
    fault = _find_fault(state, kept)
    if fault is not None:
        return Finding(_SUBJECT, Health.WARNING, f"{fault}; {found}", _LARGER)
    return Finding(_SUBJECT, Health.OK, found)


def _read_retention(reader: RecordReader) -> Retention:
    (row,) = reader.query(_SETTINGS["read_retention"]).to_pylist()
    groups = reader.query(_SETTINGS["read_groups"]).to_pylist()
    return Retention(**row, groups=tuple((group["group_name"], group["keep_s"]) for group in groups))


def _describe_rules(kept: Retention) -> str:
    if kept.is_empty:
        return "all records are kept"
    rules = [] if kept.keep_s is None else [f"records are kept for {format_period(kept.keep_s)}"]
    rules += [f"those of group {name} for {format_period(keep_s)}" for name, keep_s in kept.groups]
    if kept.max_bytes is not None:
        rules.append(f"the oldest go before the store has more than {format_bytes(kept.max_bytes)}")
    if kept.archive is not None:
        rules.append(f"they are archived in {kept.archive}")
    return ", ".join(rules)


def _describe_state(state: Mapping[str, Any], directory: StoreDirectory, kept: Retention) -> list[str]:
    found = []
    if kept.max_bytes is not None:
        found.append(f"the store has {format_bytes(_read_size(state, directory))}")
    if state["oldest_at"] is not None:
        found.append(f"the oldest record is of {_text(state['oldest_at'])}")
    if state["dropped_at"] is not None:
        found.append(
            f"{state['records']:,} records and {state['rejected_lines']:,} rejected lines were dropped, the last at "
            f"{_text(state['dropped_at'])}"
        )
    if state["archived_at"] is not None:
        size = format_bytes(state["archived_bytes"])
        found.append(f"the archive has {state['files']:,} files of {size}, the last of {_text(state['archived_at'])}")
    if kept.keep_s is not None and state["oldest_at"] is not None:
        found.append(f"the next are dropped at {_text(_find_next(state['oldest_at'], kept.keep_s))}")
    return found


def _read_size(state: Mapping[str, Any], directory: StoreDirectory) -> int:
    try:
        return int(state["used_bytes"]) + directory.write_ahead_log.stat().st_size
    except OSError:
        return int(state["used_bytes"])


def _find_next(oldest_at: datetime, keep_s: int) -> datetime:
    """Return when the oldest record is dropped, at the end of its day, or of its hour if days are not kept."""
    kept = timedelta(seconds=keep_s)
    oldest_at = oldest_at.astimezone(UTC)
    start = oldest_at.replace(minute=0, second=0, microsecond=0)
    if kept < 2 * _DAY:
        return start + timedelta(hours=1) + kept
    return start.replace(hour=0) + _DAY + kept


def _find_fault(state: Mapping[str, Any], kept: Retention) -> str | None:
    """Return what a small maximum size costs, if it does."""
    if kept.max_bytes is None or state["dropped_before"] is None or state["newest_at"] is None:
        return None
    held = state["newest_at"] - state["dropped_before"]
    if held >= max(_DAY, timedelta(seconds=state["longest_s"])):
        return None
    hours = f"{held / timedelta(hours=1):.1f} h"
    if held < timedelta(seconds=state["longest_s"]):
        return (
            f"max_size holds only {hours} of records, less than a period of metric {state['longest']}: averages, "
            "percentiles and other statistics that cannot be added up miss records"
        )
    return f"max_size holds less than one day: {hours} of records"


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
