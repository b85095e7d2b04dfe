"""How the server and its store are: ``/metrics`` for Prometheus, ``/api/v1/status`` for other programs."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog import __version__
from puppylog.model.alert import State
from puppylog.monitor.collectors import FollowedStream, StreamState
from puppylog.monitor.watching import AlertCount, Snapshot
from puppylog.serve.context import Context
from puppylog.serve.exposition import MAX_STREAMS, ServerState, choose_streams, write_exposition
from puppylog.serve.guard import guarded
from puppylog.serve.watch import Watched
from puppylog.stores.connect import name_store

_OUTBOX: Final = ("waiting", "dead")


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes."""
    started = time.monotonic()

    async def metrics(request: Request) -> Response:
        watched = await context.watch.read()
        text, content_type = write_exposition(watched, _read_server(context), request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    async def status(_request: Request) -> Response:
        watched = await context.watch.read()
        return JSONResponse(
            {
                "version": __version__,
                "uptime_s": round(time.monotonic() - started, 1),
                "store": {"url": name_store(context.stores.address.url), **describe_store(watched)},
                "received": describe_received(context),
                **({} if watched.snapshot is None else describe_snapshot(watched.snapshot)),
            }
        )

    return [
        Route("/metrics", guarded(context, "read", metrics), methods=["GET"]),
        Route("/api/v1/status", guarded(context, "read", status), methods=["GET"]),
    ]


def describe_store(watched: Watched) -> dict[str, Any]:
    """Return the part ``store`` of a status: what it is and how large, or why it does not answer."""
    if watched.snapshot is None:
        return {"is_up": False, "problem": watched.problem}
    info = watched.snapshot.info
    described = {"is_up": True, "kind": info.flavour, "version": info.version, "schema_version": info.schema_version}
    return described | ({} if watched.size is None else asdict(watched.size))


def describe_received(context: Context) -> dict[str, Any]:
    """Return the part ``received`` of a status: the numbers of each receiver, and what waits for its commit."""
    receivers: dict[str, dict[str, int]] = {}
    for (name, receiver), count in sorted(context.counters.read().items()):
        if receiver:
            receivers.setdefault(receiver, {})[name] = count
    rows, size_bytes = context.intake.waiting
    return {"by_receiver": receivers, "waiting_rows": rows, "waiting_bytes": size_bytes}


def describe_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """Return the parts of a status that the store tells."""
    chosen = choose_streams(snapshot.streams)
    outbox = {state: sum(one.notifications for one in snapshot.outbox if one.state == state) for state in _OUTBOX}
    return {
        "streams": {
            "by_state": {state.value: snapshot.count_streams(state) for state in StreamState},
            "lag_bytes": sum(stream.lag_bytes for stream in snapshot.streams),
            "rejects": sum(stream.rejects for stream in snapshot.streams),
            "list": [_describe_stream(stream) for stream in chosen],
            "left_out": max(0, len(snapshot.streams) - MAX_STREAMS),
        },
        "alerts": {
            "defined": len({count.name for count in snapshot.alerts}),
            "firing": [_describe_alert(count) for count in snapshot.alerts if count.state == State.FIRING],
        },
        "outbox": outbox,
        "evaluator_age_s": snapshot.evaluator_age_s,
        "problems": [asdict(problem) for problem in snapshot.problems],
    }


def _describe_stream(stream: FollowedStream) -> dict[str, Any]:
    return {
        "source": stream.source_uri,
        "group": stream.group,
        "state": stream.state,
        "problem": stream.problem,
        "lag_bytes": stream.lag_bytes,
        "lag_s": round(stream.lag_s, 1),
        "lines_per_s": round(stream.lines_per_s, 1),
        "records": stream.records,
        "rejects": stream.rejects,
        "stored_at": _format(stream.stored_at),
        "format": stream.format,
    }


def _describe_alert(count: AlertCount) -> dict[str, Any]:
    return {
        "name": count.name,
        "severity": count.severity,
        "segments": count.segments,
        "since": _format(count.since),
    }


def _format(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds")


def _read_server(context: Context) -> ServerState:
    rows, size_bytes = context.intake.waiting
    return ServerState(context.counters, rows, size_bytes, context.budget.used_bytes, context.claims.sessions.count)
