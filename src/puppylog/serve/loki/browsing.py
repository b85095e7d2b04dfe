"""What clients ask about labels, streams, volumes and fields."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from puppylog.model.logql import parse_logql, parse_selector, write_logql
from puppylog.model.logql.tree import (
    Grouping,
    LabelFilter,
    LogQuery,
    Matcher,
    RangeAggregation,
    VectorAggregation,
)
from puppylog.model.logql.windows import Steps
from puppylog.monitor.condition import DescribedReader
from puppylog.monitor.logql import browsing
from puppylog.monitor.logql.asking import Asking
from puppylog.monitor.logql.patterns import find_entry_patterns
from puppylog.monitor.logql.ranges import evaluate
from puppylog.serve.loki.answers import (
    answer_data,
    answer_json,
    answer_result,
    make_matrix,
    make_stats,
    make_vector,
)
from puppylog.serve.loki.parameters import Parameters
from puppylog.serve.refusal import Refusal

_SINCE_S: Final = 6 * 3600.0  # of questions about labels, as in Loki
_MAX_VALUES: Final = 5000
_MAX_SERIES: Final = 500
_SAMPLE: Final = 1000
_MAX_SAMPLED: Final = 5000


def _select(parameters: Parameters, name: str = "query") -> LogQuery:
    """Return the selector of a request; one that chooses everything if there is none."""
    return LogQuery(parse_selector(parameters.get(name)))


def _choose(parameters: Parameters) -> LogQuery:
    """Return the query of a request, which may have stages."""
    written = parameters.get("query")
    query = parse_logql(written) if written else LogQuery(())
    if not isinstance(query, LogQuery):
        raise Refusal(400, "only a log query is allowed here, and this is a metric query")
    return query


def list_labels(reader: DescribedReader, parameters: Parameters) -> Response:
    """Answer ``labels``."""
    asking = Asking(reader, parameters.get("query"))
    return answer_data(browsing.list_labels(asking, _select(parameters), parameters.within(_SINCE_S)))


def list_values(reader: DescribedReader, parameters: Parameters, name: str) -> Response:
    """Answer ``label/{name}/values``."""
    asking = Asking(reader, parameters.get("query"))
    return answer_data(browsing.list_values(asking, _select(parameters), parameters.within(_SINCE_S), name))


def list_series(reader: DescribedReader, parameters: Parameters) -> Response:
    """Answer ``series``: the labels of streams."""
    selectors = parameters.get_all("match[]", "match") or [""]
    asking = Asking(reader, selectors[0])
    queries = [LogQuery(parse_selector(selector)) for selector in dict.fromkeys(selectors)]
    return answer_data(browsing.find_streams(asking, queries, parameters.within()))


def tell_amount(reader: DescribedReader, parameters: Parameters) -> Response:
    """Answer ``index/stats``: how much a query has to look at."""
    asking = Asking(reader, parameters.get("query"))
    amount = browsing.measure(asking, _choose(parameters), parameters.within())
    return answer_json(
        {"streams": amount.streams, "chunks": amount.streams, "entries": amount.entries, "bytes": amount.size_bytes}
    )


def detect_labels(reader: DescribedReader, parameters: Parameters) -> Response:
    """Answer ``detected_labels``."""
    asking = Asking(reader, parameters.get("query"))
    counts = browsing.count_labels(asking, _select(parameters), parameters.within())
    labels = [{"label": name, "cardinality": count} for name, count in counts.items()]
    return answer_json({"detectedLabels": labels})


def detect_fields(reader: DescribedReader, parameters: Parameters) -> Response:
    """Answer ``detected_fields``."""
    asking = Asking(reader, parameters.get("query"))
    most = parameters.count("limit", 1000, _MAX_VALUES)
    entries = parameters.count("line_limit", _SAMPLE, _MAX_SAMPLED)
    found = browsing.detect_fields(asking, _choose(parameters), parameters.within(), entries=entries, most=most)
    fields = [
        {"label": field.name, "type": field.type, "cardinality": field.cardinality, "parsers": None} for field in found
    ]
    return answer_json({"fields": fields, "limit": most})


def list_field_values(reader: DescribedReader, parameters: Parameters, name: str) -> Response:
    """Answer ``detected_field/{name}/values``."""
    asking = Asking(reader, parameters.get("query"))
    most = parameters.count("limit", 1000, _MAX_VALUES)
    values = browsing.list_values(asking, _choose(parameters), parameters.within(), name, most=most)
    return answer_json({"values": values, "limit": most})


def find_patterns(reader: DescribedReader, parameters: Parameters) -> Response:
    """Answer ``patterns``."""
    within = parameters.within()
    found = find_entry_patterns(Asking(reader, parameters.get("query")), _choose(parameters), within)
    start_s = within.start_ns // 1_000_000_000
    return answer_data([{"pattern": shape, "samples": [[start_s, count]]} for shape, count in found])


def format_query(parameters: Parameters) -> Response:
    """Answer ``format_query``."""
    return answer_data(write_logql(parse_logql(parameters.get("query"))))


def tell_volume(reader: DescribedReader, parameters: Parameters, *, is_range: bool) -> Response:
    """Answer ``index/volume`` and ``index/volume_range``: the bytes of the lines of each series."""
    query = _select(parameters)
    within = parameters.within()
    targets = [name for name in parameters.get("targetLabels").split(",") if name]
    names = tuple(dict.fromkeys(targets or [matcher.name for matcher in query.matchers]))
    # A range has its end and not its start, so the one of a volume ends a microsecond earlier.
    steps = parameters.steps(within) if is_range else Steps(within.end_ns // 1000 - 1, 1_000_000, 1)
    range_s = steps.step_us / 1e6 if is_range else (within.end_ns - within.start_ns) / 1e9
    asking = Asking(reader, parameters.get("query"))
    series: dict[tuple[tuple[str, str], ...], Any] = {}
    if parameters.get("aggregateBy", "series") == "labels":
        for name in names:
            having = LogQuery(query.matchers, (LabelFilter(Matcher(name, "!=", "")),))
            for points in _sum_bytes(asking, having, (), range_s, steps).values():
                series[((name, ""),)] = points
    else:
        series.update(_sum_bytes(asking, query, names, range_s, steps))
    limit = parameters.count("limit", 100, _MAX_SERIES)
    largest = sorted(series, key=lambda labels: -sum(point or 0 for point in series[labels]))[:limit]
    chosen = {labels: series[labels] for labels in largest}
    if is_range:
        return answer_result("matrix", make_matrix(chosen, steps), make_stats(0, 0, 0, 0))
    return answer_result("vector", make_vector(chosen, within.end_ns // 1000), make_stats(0, 0, 0, 0))


def _sum_bytes(
    asking: Asking, query: LogQuery, names: tuple[str, ...], range_s: float, steps: Steps
) -> Mapping[tuple[tuple[str, str], ...], Any]:
    part = RangeAggregation("bytes_over_time", query, range_s)
    value = evaluate(asking, VectorAggregation("sum", part, Grouping(names)), steps)
    return value if isinstance(value, Mapping) else {}
