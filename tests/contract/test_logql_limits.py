"""Queries in LogQL that ask for too much are refused on every store."""

import pytest

from puppylog.errors import UsageError
from puppylog.model.logql import parse_logql
from puppylog.model.logql.tree import LogQuery
from puppylog.model.logql.windows import Steps
from puppylog.monitor.logql.asking import Asking
from puppylog.monitor.logql.ranges import evaluate
from puppylog.stores.base import Store
from support.lines import NOON, Source, rows


def test_too_many_series_are_refused(store: Store) -> None:
    Source(store).append(rows([{"host": f"h{at}"} for at in range(501)]))
    text = "sum by (host) (count_over_time({}[1m]))"
    metric = parse_logql(text)
    assert not isinstance(metric, LogQuery)
    at = Steps(int(NOON.timestamp()) * 1_000_000 + 1_000_000, 1_000_000, 1)
    with pytest.raises(UsageError, match=r"maximum number of series \(500\) reached"):
        evaluate(Asking(store, text), metric, at)
