"""A connected store, with a method for each question."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, Self, TypeAlias

import pyarrow as pa

from puppylog.api import tables
from puppylog.api.answer import Answer
from puppylog.errors import UsageError
from puppylog.model.expression import render
from puppylog.model.expression.term import Dialect
from puppylog.model.query import RECORDS, REJECTS, Reading, find_attribute_names, parse_query, translate
from puppylog.model.query.fields import Vocabulary
from puppylog.model.query.instants import INSTANTS, read_instant
from puppylog.model.record import ALIASES
from puppylog.monitor.alerts import get_alert, read_alerts, read_transitions
from puppylog.monitor.attributes import find_attributes
from puppylog.monitor.doctor import list_findings
from puppylog.monitor.metric_reader import MetricReader
from puppylog.monitor.metrics import get_metric, list_metrics, read_observations
from puppylog.monitor.range import Range
from puppylog.monitor.rejects import RejectFilter, iter_newest, iter_rejects
from puppylog.monitor.search import Search, find_records, get_group_id, stream_records
from puppylog.monitor.streams import list_streams
from puppylog.settings import read_settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect as connect_store

Time: TypeAlias = datetime | timedelta | str | None
"""An instant: a ``datetime``, which is in this machine's zone unless it has one; a ``timedelta`` before now; or a text
as ``--since`` takes it, such as ``2h`` or ``yesterday``. None for no limit."""

TIMEOUT_S: Final = 60.0
_ALL: Final = (1 << 31) - 1


def connect(url: str | None = None, *, timeout_s: float | None = TIMEOUT_S) -> "Connection":
    """Connect to a store.

    Args:
        url: ``duckdb:///directory``, ``postgresql://host/database`` or ``https://host:7380``. None is the store that
            the command line uses: that of ``PUPPYLOG_STORE``, of the configuration file, or the one in the user's data
            directory. The token for a store at ``https://`` is that of the command line, too.
        timeout_s: how many seconds a query may take; None for no limit.

    Raises:
        ConfigurationError: the URL is not that of a store, or the directory or database is not Puppylog's.
        StoreUnavailable: the store does not answer.
    """
    given = {"store": url or os.environ.get("PUPPYLOG_STORE")}
    settings = read_settings({name: value for name, value in given.items() if value}, os.environ)
    return Connection(connect_store(settings.store, timeout_s=timeout_s))


class Connection:
    """A connected store. Usable with ``with``. Several threads may use it at once.

    Every method raises only errors of `puppylog.errors`, with the texts that the command line shows.
    """

    def __init__(self, store: Store) -> None:
        """Use a store; `connect` finds it by its URL."""
        self._store = store

    def records(
        self,
        query: str = "",
        *,
        since: Time = None,
        until: Time = None,
        group: str | None = None,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> Answer:
        """Return the records that a query finds.

        Args:
            query: in the language of ``puppylog logs``, such as ``status_code>=500 -host:10.*``. Empty: all records.
            since: the first instant.
            until: the instant after the last one.
            group: only records of this log group.
            limit: how many of the newest records, the oldest of them first. None: all records, in no order.
            columns: names of columns of ``log_records``. None: all columns.

        Raises:
            SearchError: the query is wrong, or names a field that no record has.
            NotFound: there is no such group.
            UsageError: there is no such column, or a time cannot be parsed.
        """
        search = Search(self._condition(query, RECORDS), _range(since, until), self._group_id(group))
        schema = find_records(self._store, search, records=0).schema
        names = schema.names if columns is None else [_column(name, schema) for name in columns]
        if limit is None:
            return Answer(lambda: stream_records(self._store, search, names))
        return _whole(lambda: find_records(self._store, search, records=limit).select(names))

    def sql(self, text: str) -> Answer:
        """Return the answer of one SQL statement that only reads, as ``puppylog sql`` does.

        The statement can name ``log_records``, ``rejected_lines``, ``metrics.NAME`` and the others without a schema.
        A statement that the store refuses raises QueryError when the answer is read.

        Raises:
            UsageError: the text is empty.
        """
        if not text.strip():
            raise UsageError("query", "the store", "the query is empty")
        return Answer(lambda: self._store.stream_query(text))

    def metrics(self) -> Answer:
        """Return the metrics: their definitions, their states and their watermarks."""
        return _whole(lambda: tables.of_metrics(list_metrics(self._store)))

    def metric(
        self,
        name: str,
        *,
        since: Time = None,
        until: Time = None,
        segment: str | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Return the observations of a metric: ``bucket``, ``segment`` and ``value``, oldest first.

        Args:
            name: of the metric.
            since: the first instant.
            until: the instant after the last one.
            segment: only observations of this segment.
            limit: only those in this many of the newest buckets.

        Raises:
            NotFound: there is no such metric.
            UsageError: a time cannot be parsed.
        """
        reader = MetricReader(self._store)
        metric = get_metric(reader, name).metric
        within, buckets = _range(since, until), _ALL if limit is None else limit
        return _whole(lambda: read_observations(reader, metric, within=within, buckets=buckets, segment=segment))

    def alerts(self) -> Answer:
        """Return the alerts with a row for each judged segment: its state, value and rule."""
        return _whole(lambda: tables.of_alerts(read_alerts(self._store).states))

    def alert_history(self, name: str, *, since: Time = None, until: Time = None, limit: int | None = None) -> Answer:
        """Return the changes of state of one alert, oldest first.

        Raises:
            NotFound: there is no such alert.
            UsageError: a time cannot be parsed.
        """
        get_alert(self._store, name)
        within, newest = _range(since, until), _ALL if limit is None else limit
        return _whole(lambda: read_transitions(self._store, name, within=within, transitions=newest))

    def streams(self) -> Answer:
        """Return the streams: the sources that were collected, with their groups, files and stored bytes."""
        return _whole(lambda: list_streams(self._store))

    def rejects(
        self,
        query: str = "",
        *,
        since: Time = None,
        until: Time = None,
        group: str | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Return rejected lines, with the reason of each and its bytes. The arguments are those of `records`.

        Without a limit the lines come file by file, in the order of their offsets. Times are those of the rejection.
        """
        wanted = RejectFilter(
            _range(since, until), group_id=self._group_id(group), condition=self._condition(query, REJECTS)
        )

        @contextmanager
        def open_batches() -> Iterator[Iterator[pa.RecordBatch]]:
            if limit is None:
                yield tables.or_empty(iter_rejects(self._store, wanted))
            else:
                yield tables.or_empty(iter_newest(self._store, wanted, lines=limit))

        return Answer(open_batches)

    def findings(self) -> Answer:
        """Return what ``puppylog doctor`` finds: a subject, a state, a sentence and an advice in each row."""
        return _whole(lambda: tables.of_findings(list_findings(self._store)))

    def close(self) -> None:
        """Close the connection. It is OK to close it twice."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Connection to {self._store.info.url}>"

    def _group_id(self, group: str | None) -> int | None:
        return None if group is None else get_group_id(self._store, group)

    def _condition(self, query: str, vocabulary: Vocabulary) -> str:
        """Return a query as a condition in the store's SQL."""
        if not query.strip():
            return "true"
        tree = parse_query(query)
        dialect: Dialect = "duckdb" if self._store.info.flavour == "duckdb" else "postgres"
        names = find_attribute_names(tree) if vocabulary.has_attributes else []
        known = find_attributes(self._store, names, dialect) if names else {}
        return render(translate(tree, Reading(query, vocabulary, known, datetime.now(UTC), None)), dialect)


def _whole(read: Callable[[], pa.Table]) -> Answer:
    """Return an answer that the store gives as a whole."""

    @contextmanager
    def open_batches() -> Iterator[Iterator[pa.RecordBatch]]:
        table = read()
        yield iter(table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)])

    return Answer(open_batches)


def _column(name: str, schema: pa.Schema) -> str:
    known = ALIASES.get(name.lower(), name)
    if known not in schema.names:
        raise UsageError("show", f"column {name!r}", advice=f"the columns are {', '.join(schema.names)}")
    return known


def _range(since: Time, until: Time) -> Range:
    first, last = _instant(since, "since"), _instant(until, "until")
    if first is not None and last is not None and first >= last:
        raise UsageError("look from", f"{since} to {until}", "the range ends before it begins")
    return Range(first, last)


def _instant(time: Time, name: str) -> datetime | None:
    match time:
        case None:
            return None
        case timedelta():
            return datetime.now(UTC) - time
        case datetime():
            return time.astimezone(UTC)
    try:
        start, _ = read_instant(time, datetime.now(UTC), None)
    except (ValueError, OverflowError) as error:
        raise UsageError("read", f"{name} {time!r}", advice=f"write {INSTANTS}") from error
    return start
