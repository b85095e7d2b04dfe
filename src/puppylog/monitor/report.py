"""A report: what is in a store, at a glance. The one value that a terminal, a page and JSON show.

Each part is one query, so that a store with millions of records is read a few times, each time only the columns that
the part needs. A part that the records cannot have, such as routes in a log without requests, costs no query.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from puppylog.model.expression import render
from puppylog.model.expression.term import Dialect
from puppylog.model.query import Reading, parse_query, translate
from puppylog.model.source import name_source
from puppylog.monitor.attributes import SAMPLE_RECORDS, list_names
from puppylog.monitor.counting import Pattern, find_patterns
from puppylog.monitor.counting.patterns import TalliedSearch
from puppylog.monitor.counting.tallied import TALLIES_SQL, counts_sql, find_tallies
from puppylog.monitor.durations import find_duration
from puppylog.monitor.record_classes import Class, choose_kind, count_classes
from puppylog.monitor.remembering import RememberingReader
from puppylog.monitor.search import Search
from puppylog.monitor.timeline import EPOCH, Timeline, plan_timeline
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries
from puppylog.stores.tallies import ERROR_SHAPES, FAILING_ROUTES, PRESENCE

_QUERIES = load_queries("puppylog.stores", "report.sql")
_GROUPS = load_queries("puppylog.stores", "monitor.sql")

_VALUES: Final = 10
_MIN_DURATIONS: Final = 100  # the percentile of fewer durations says little; of few records, fewer are enough

_ERRORS: Final = "severity>=error"
_FAILED: Final = "status_code BETWEEN 500 AND 599"
_ROUTE: Final = "split_part(request_route, '?', 1)"


@dataclass(frozen=True, slots=True)
class SourceCount:
    """A file or another source, and what was read from it."""

    name: str
    format: str  # empty: no collector has said
    records: int
    rejects: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A route or a client, and its records."""

    value: str
    records: int
    server_errors: int  # records with a status of 500 or more
    response_bytes: float | None


@dataclass(frozen=True, slots=True)
class Slow:
    """A route, and how long its requests took, in the unit of `Durations`."""

    value: str
    records: int
    p50: float
    p95: float
    longest: float


@dataclass(frozen=True, slots=True)
class Counts:
    """The most frequent values, and the number of all different values."""

    items: Sequence[Counted]
    different: int


@dataclass(frozen=True, slots=True)
class Durations:
    """The slowest values, and the number of all different values with a duration."""

    attribute: str  # whose values the durations are
    unit_s: float | None  # of the numbers, in seconds; None: the log does not tell it
    least: int  # values with fewer durations are left out, because their percentiles say little
    items: Sequence[Slow]
    different: int


@dataclass(frozen=True, slots=True)
class MessagePatterns:
    """The most frequent patterns of messages: of errors, or of all messages in a log without severities."""

    of_errors: bool
    patterns: Sequence[Pattern]
    messages: int  # how many messages have these and all other patterns
    different: int  # patterns


@dataclass(frozen=True, slots=True)
class Reason:
    """Why lines were rejected."""

    text: str
    lines: int


@dataclass(frozen=True, slots=True)
class Report:
    """What is in a store."""

    records: int
    rejects: int  # of all times: a rejected line has no time of its own
    first_at: datetime | None  # UTC; None without records, as is last_at
    last_at: datetime | None
    response_bytes: float | None
    read_times: int  # records that have the time at which they were read, because their lines have none
    sources: Sequence[SourceCount]  # those with the most lines first
    timeline: Timeline | None
    kind: str  # what `classes` divides records by: "status", "severity", or "" if records have neither
    classes: Sequence[Class]  # the worst class first; one class without a name if `kind` is empty
    routes: Counts | None
    failing: Counts | None  # routes of requests with a status of 500 or more
    slowest: Durations | None
    clients: Counts | None  # or hosts, if records are not requests
    patterns: MessagePatterns | None
    reasons: Sequence[Reason]  # most frequent first

    @property
    def lines(self) -> int:
        return self.records + self.rejects

    @property
    def outside(self) -> int:
        """The number of records before or after the timeline, which may be narrower than the range of the records."""
        return sum(one.records - sum(one.steps) for one in self.classes)

    @property
    def server_errors(self) -> int:
        """The number of records with a status of 500 to 599."""
        return next((one.records for one in self.classes if one.name == "5xx"), 0)


def make_report(reader: RecordReader, search: Search, dialect: Dialect) -> Report:
    """Return a report on the records that match the search, and on the rejected lines of its group.

    Args:
        reader: the store.
        search: which records are reported.
        dialect: the SQL dialect of the store.
    """
    questions = _Questions(RememberingReader(reader, TALLIES_SQL), search, dialect)
    streams = questions.ask_streams()
    rejects = questions.ask_rejects()
    presence = questions.ask_presence()
    records = sum(row["records"] for row in streams)
    first_at = min((row["first_at"] for row in streams), default=None)
    last_at = max((row["last_at"] for row in streams), default=None)
    kind = choose_kind(presence)
    has_routes = presence["request_route"] > 0
    timeline: Timeline | None = None
    classes: Sequence[Class] = ()
    if first_at is not None and last_at is not None:
        timeline, classes = count_classes(questions.ask_steps, kind, plan_timeline(first_at, last_at))
    return Report(
        records=records,
        rejects=sum(row["lines"] for row in rejects),
        first_at=first_at,
        last_at=last_at,
        response_bytes=sum(row["response_bytes"] or 0 for row in streams) or None,
        read_times=questions.ask("report_read_times")[0]["records"] if records else 0,
        sources=_list_sources(streams, rejects),
        timeline=timeline,
        kind=kind,
        classes=classes,
        routes=_count_values(questions, "request_route", _ROUTE, "request_route") if has_routes else None,
        failing=_count_values(questions, "request_route", _ROUTE, FAILING_ROUTES, _FAILED)
        if has_routes and _has(classes, "5xx")
        else None,
        slowest=_measure_routes(questions, presence["request_route"]) if has_routes else None,
        clients=_count_values(questions, "host", "host", "host") if presence["host"] else None,
        patterns=_find_patterns(questions, presence, has_errors=kind != "severity" or _has(classes, "error")),
        reasons=_list_reasons(rejects),
    )


@dataclass(frozen=True, slots=True)
class _Questions:
    """Asks a store about the records that match a search, by tallies where it has them."""

    reader: RecordReader
    search: Search
    dialect: Dialect

    def ask(self, query: str, *, where: str = "true", parameters: Mapping[str, Value] | None = None, **sql: str) -> Any:  # noqa: ANN401 - rows of any columns
        text = self._render(query, _limit(self.search, where), **sql)
        return self.reader.query(text, {**self.search.parameters(), **(parameters or {})}).to_pylist()

    def ask_streams(self) -> list[dict[str, Any]]:
        counts = self._counts("report_stream_counts", "tallied_streams", "stream_id")
        return list(self.ask("report_streams", counts=counts))

    def ask_presence(self) -> dict[str, int]:
        """Return how many records have a value in each of some columns, by the names of the columns."""
        tallied = find_tallies(self.reader, self.search, PRESENCE, dialect=self.dialect)
        search = self.search if tallied is None else tallied.rest
        [row] = self.reader.query(self._render("report_presence", search), search.parameters()).to_pylist()
        if tallied is not None:
            for counted in self.reader.query(tallied.render("tallied_presence"), self._group).to_pylist():
                row[counted["name"]] += counted["records"]
        return dict(row)

    def ask_steps(self, column: str | None, value: str, timeline: Timeline) -> Any:  # noqa: ANN401 - rows, as of `ask`
        step = (timeline.step_s, self._step_sql(timeline))
        counts = counts_sql(self.reader, self.search, column, dialect=self.dialect, step=step)
        return self.ask("report_steps", value=value, counts=counts)

    def ask_top(self, column: str, value: str, field: str, where: str) -> Any:  # noqa: ANN401 - rows, as of `ask`
        """Return the most frequent values, which the SQL ``value`` computes from a column.

        Tallies of the ``field`` count the records for which ``where`` is true.
        """
        counts = self._counts("report_top_counts", "tallied_tops", field, where, column=column)
        return self.ask("report_top", value=value, counts=counts, parameters={"values": _VALUES})

    def _counts(self, query: str, tallied_query: str, field: str, where: str = "true", **sql: str) -> str:
        """Return the SQL of a query of counts; by tallies of a field where there are any, by records elsewhere."""
        tallied = find_tallies(self.reader, self.search, field, dialect=self.dialect)
        if tallied is None:
            return self._render(query, _limit(self.search, where), **sql)
        rest = self._render(query, _limit(tallied.rest, where), **sql)
        return f"{tallied.render(tallied_query, **sql)} UNION ALL {rest}"

    def _render(self, query: str, search: Search, **sql: str) -> str:
        return _QUERIES[query].format(in_group=self._in_group, where=f"({search.condition})", **sql)

    def _step_sql(self, timeline: Timeline) -> str:
        """Return the SQL of the number of a record's step, counted from the first one."""
        start_s = (timeline.start - EPOCH) // timedelta(seconds=1)
        if self.dialect == "duckdb":  # it divides integers in less than half of the time
            past, step = f"(epoch_us(ts) - {start_s * 1_000_000})", timeline.step_s * 1_000_000
            # A quotient is rounded towards zero, but a record before the first step is in no step.
            return f"({past} // {step} - CAST({past} % {step} < 0 AS INTEGER))"
        return f"floor((extract(epoch FROM ts) - {start_s}) / {timeline.step_s})::BIGINT"

    def ask_rejects(self) -> list[dict[str, Any]]:
        text = _QUERIES["report_rejects"].format(in_group=self._in_group)
        return list(self.reader.query(text, self._group).to_pylist())

    @property
    def _group(self) -> dict[str, Value]:
        return {} if self.search.group_id is None else {"group_id": self.search.group_id}

    @property
    def _in_group(self) -> str:
        return _GROUPS["in_any_group" if self.search.group_id is None else "in_one_group"]


def _limit(search: Search, where: str) -> Search:
    return search if where == "true" else replace(search, condition=f"({search.condition}) AND ({where})")


def _has(classes: Sequence[Class], name: str) -> bool:
    return any(one.name == name for one in classes)


def _count_values(questions: _Questions, column: str, value: str, field: str, where: str = "true") -> Counts:
    rows = questions.ask_top(column, value, field, where)
    items = [Counted(row["value"], row["records"], row["server_errors"], row["response_bytes"]) for row in rows]
    return Counts(items, rows[0]["different"] if rows else 0)


def _measure_routes(questions: _Questions, requests: int) -> Durations | None:
    newest = questions.ask("report_attributes", parameters={"records": SAMPLE_RECORDS})
    duration = find_duration(list_names(row["attributes"] for row in newest))
    if duration is None:
        return None
    least = max(1, min(_MIN_DURATIONS, requests // 1000))
    rows = questions.ask(
        "report_slowest",
        value=_ROUTE,
        duration=duration.render(questions.dialect),
        parameters={"values": _VALUES, "least": least},
    )
    items = [Slow(row["value"], row["records"], row["p50"], row["p95"], row["longest"]) for row in rows]
    return Durations(duration.attribute, duration.unit_s, least, items, rows[0]["different"]) if rows else None


def _find_patterns(questions: _Questions, presence: Mapping[str, int], *, has_errors: bool) -> MessagePatterns | None:
    """Return the patterns of error messages. Where no record has a severity, any message may be an error."""
    search, of_errors = questions.search, presence["severity"] > 0
    tallies = None
    if not presence["message"] or (of_errors and not has_errors):
        return None
    if of_errors:
        condition = render(translate(parse_query(_ERRORS), Reading(text=_ERRORS)), questions.dialect)
        tallies = TalliedSearch(search, ERROR_SHAPES)
        search = replace(search, condition=f"({search.condition}) AND ({condition})")
    found = find_patterns(questions.reader, search, dialect=questions.dialect, patterns=_VALUES, tallies=tallies)
    return MessagePatterns(of_errors, found.patterns, found.records, found.distinct) if found.patterns else None


def _list_sources(streams: Sequence[Mapping[str, Any]], rejects: Sequence[Mapping[str, Any]]) -> list[SourceCount]:
    records: Counter[int] = Counter({row["stream_id"]: row["records"] for row in streams})
    rejected: Counter[int] = Counter()
    for row in rejects:
        rejected[row["stream_id"]] += row["lines"]
    known = {row["stream_id"]: row for row in (*streams, *rejects)}
    lines = records + rejected
    return [
        SourceCount(
            name_source(known[stream_id]["source_uri"] or ""),
            known[stream_id]["format"] or "",
            records[stream_id],
            rejected[stream_id],
        )
        for stream_id, _ in lines.most_common()
    ]


def _list_reasons(rejects: Sequence[Mapping[str, Any]]) -> list[Reason]:
    lines: Counter[str] = Counter()
    for row in rejects:
        lines[row["reason"]] += row["lines"]
    return [Reason(text, count) for text, count in lines.most_common()]
