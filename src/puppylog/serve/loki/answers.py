"""Answers as Loki writes them, and its errors."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from puppylog.errors import SearchError
from puppylog.model.logql.arithmetic import write_value
from puppylog.model.logql.evaluation import LabelSet, Points, Series
from puppylog.model.logql.windows import Steps
from puppylog.monitor.logql.entries import Entry
from puppylog.serve.refusal import Refusal

ENCODING_FLAGS: Final = "x-loki-response-encoding-flags"
CATEGORIZE: Final = "categorize-labels"


def render_error(_request: Request, refusal: Refusal) -> Response:
    """Return a refusal as Loki answers one: its cause as text. Grafana shows the text to its user."""
    text = refusal.message
    error = refusal.error
    if isinstance(error, SearchError):
        advice = f"; {error.advice}" if error.advice else ""
        text = f"parse error at {error.cause}{advice}"
    return PlainTextResponse(text, refusal.status, refusal.headers)


def answer_json(value: object, status: int = 200) -> Response:
    """Return a value as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")


def answer_data(data: object) -> Response:
    """Return data in Loki's envelope."""
    return answer_json({"status": "success", "data": data})


def answer_result(kind: str, result: object, stats: Mapping[str, Any], flags: Sequence[str] = ()) -> Response:
    """Return the result of a query.

    Args:
        kind: of the result: streams, matrix, vector or scalar.
        result: the result.
        stats: as `make_stats` returns them.
        flags: the encoding flags of the request, which Loki repeats.
    """
    shown = {"encodingFlags": list(flags)} if flags else {}
    return answer_data({"resultType": kind, **shown, "result": result, "stats": stats})


def make_stats(took_s: float, lines: int, size_bytes: int, entries: int) -> dict[str, Any]:
    """Return the statistics of a query as Grafana and logcli read them: how long it took, and what it returned."""
    per_second = 1 / took_s if took_s > 0 else 0.0
    summary = {
        "bytesProcessedPerSecond": round(size_bytes * per_second),
        "linesProcessedPerSecond": round(lines * per_second),
        "totalBytesProcessed": size_bytes,
        "totalLinesProcessed": lines,
        "execTime": round(took_s, 6),
        "queueTime": 0,
        "subqueries": 0,
        "totalEntriesReturned": entries,
        "splits": 0,
        "shards": 0,
        "totalPostFilterLines": lines,
        "totalStructuredMetadataBytesProcessed": 0,
    }
    return {"summary": summary, "querier": {}, "ingester": {}, "cache": {}}


def make_streams(entries: Iterable[Entry], *, is_categorized: bool, shows_metadata: bool) -> list[dict[str, Any]]:
    """Return entries as streams: those with the same labels together, in their order.

    Args:
        entries: in the order of the answer.
        is_categorized: whether each entry has its labels of records apart from those of its stream.
        shows_metadata: whether labels of records are among those of the stream, if they are not apart.
    """
    streams: dict[LabelSet, list[list[Any]]] = {}
    for entry in entries:
        value: list[Any] = [str(entry.ts_ns), entry.line]
        if is_categorized:
            labels = entry.stream
            apart = {"structuredMetadata": entry.metadata, "parsed": entry.parsed}
            value.append({name: dict(found) for name, found in apart.items() if found})
        else:
            labels = {**(entry.metadata if shows_metadata else {}), **entry.parsed, **entry.stream}
        streams.setdefault(tuple(sorted(labels.items())), []).append(value)
    return [{"stream": dict(labels), "values": values} for labels, values in streams.items()]


def make_matrix(series: Series, steps: Steps) -> list[dict[str, Any]]:
    """Return series with all their points."""
    return [
        {"metric": dict(labels), "values": _make_values(points, steps)} for labels, points in sorted(series.items())
    ]


def _make_values(points: Points, steps: Steps) -> list[list[Any]]:
    pairs = zip(steps.instants_us, points, strict=True)
    return [[write_instant(at_us), write_value(point)] for at_us, point in pairs if point is not None]


def make_vector(series: Series, at_us: int) -> list[dict[str, Any]]:
    """Return series with one point each, in their order."""
    pairs = [(labels, points[0]) for labels, points in series.items()]
    return [
        {"metric": dict(labels), "value": [write_instant(at_us), write_value(point)]}
        for labels, point in pairs
        if point is not None
    ]


def write_instant(at_us: int) -> int | float:
    """Return an instant in seconds since the epoch, with milliseconds if there are any."""
    milliseconds = at_us // 1000
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000
