"""``query`` and ``query_range``: entries, and metrics at one instant or at steps."""

import time
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from puppylog.model.logql import parse_logql
from puppylog.model.logql.arithmetic import write_value
from puppylog.model.logql.evaluation import Series
from puppylog.model.logql.tree import LogQuery
from puppylog.model.logql.windows import Steps
from puppylog.monitor.condition import DescribedReader
from puppylog.monitor.logql.asking import Asking
from puppylog.monitor.logql.entries import find_entries, shows_metadata
from puppylog.monitor.logql.ranges import evaluate
from puppylog.serve.loki.answers import (
    CATEGORIZE,
    ENCODING_FLAGS,
    answer_result,
    make_matrix,
    make_stats,
    make_streams,
    make_vector,
    write_instant,
)
from puppylog.serve.loki.parameters import Parameters
from puppylog.serve.refusal import Refusal

_NO_INSTANT: Final = (
    "log queries are not supported as an instant query type, please change your query to a range query type"
)


def read_flags(request: Request) -> list[str]:
    """Return the encoding flags of a request, as Loki reads them."""
    return [flag for flag in request.headers.get(ENCODING_FLAGS, "").split(",") if flag]


def query_range(reader: DescribedReader, parameters: Parameters, flags: list[str]) -> Response:
    """Answer ``query_range``."""
    written = parameters.get("query")
    query = parse_logql(written)
    within = parameters.within()
    if parameters.get("interval") not in {"", "0"}:
        raise Refusal(400, "interval is not supported: choose a smaller limit")
    asking = Asking(reader, written)
    began = time.monotonic()
    if isinstance(query, LogQuery):
        limit, direction = parameters.limit(), parameters.direction()
        entries = find_entries(asking, query, within, direction=direction, limit=limit)
        streams = make_streams(entries, is_categorized=CATEGORIZE in flags, shows_metadata=shows_metadata(query.stages))
        size = sum(len(entry.line.encode()) for entry in entries)
        stats = make_stats(time.monotonic() - began, len(entries), size, len(entries))
        return answer_result("streams", streams, stats, flags)
    steps = parameters.steps(within)
    value = evaluate(asking, query, steps)
    series: Series = value if isinstance(value, Mapping) else {(): [value] * steps.count}
    stats = make_stats(time.monotonic() - began, 0, 0, 0)
    return answer_result("matrix", make_matrix(series, steps), stats, flags)


def query_instant(reader: DescribedReader, parameters: Parameters, flags: list[str]) -> Response:
    """Answer ``query``."""
    written = parameters.get("query")
    query = parse_logql(written)
    if isinstance(query, LogQuery):
        raise Refusal(400, _NO_INSTANT)
    at_us = parameters.instant() // 1000
    began = time.monotonic()
    value = evaluate(Asking(reader, written), query, Steps(at_us, 1_000_000, 1))
    stats = make_stats(time.monotonic() - began, 0, 0, 0)
    if isinstance(value, Mapping):
        return answer_result("vector", make_vector(value, at_us), stats, flags)
    return answer_result("scalar", [write_instant(at_us), write_value(value)], stats, flags)
