"""The senders' requests whose lines are stored, in the engine: recognized for an hour, then deleted."""

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from puppylog.model.request import KEPT_S, ReceivedRequest
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.queries import load_queries
from puppylog.stores.received_requests import refuse_repeated

_QUERIES = load_queries("puppylog.stores.duckdb", "requests.sql")

_KEPT: Final = {"kept_s": KEPT_S}
_PREFIX_BYTES: Final = 8  # a number of 64 bits


def add_requests(connection: Connection, requests: Sequence[ReceivedRequest]) -> None:
    """Store requests in the caller's transaction.

    Raises:
        RequestRepeated: the store has one of the requests, or two of them have one digest.
    """
    digests = [request.digest for request in requests]
    if len(set(digests)) < len(digests):
        refuse_repeated(next(digest for digest in digests if digests.count(digest) > 1))
    asked = _table_of(digests)
    with connection.table("asked", asked):
        found = _find_asked(connection)
        for row in found:
            if row["is_recognized"]:
                refuse_repeated(row["digest"], row["age_s"])
        if found:
            connection.run(_QUERIES["forget_requests"])
    answers = pa.array([request.answer for request in requests], pa.string())
    with connection.table("received", asked.append_column("answer", answers)):
        connection.run(_QUERIES["insert_requests"])


def find_requests(connection: Connection, digests: Sequence[str]) -> list[ReceivedRequest]:
    """Return those of the requests that were committed within the last KEPT_S seconds."""
    with connection.table("asked", _table_of(digests)):
        rows = _find_asked(connection)
    return [ReceivedRequest(row["digest"], row["answer"], row["age_s"]) for row in rows if row["is_recognized"]]


def _find_asked(connection: Connection) -> list[dict[str, Any]]:
    """Return the rows of the requests in the table ``asked``, also of those that are no longer recognized."""
    candidates = connection.fetch(_QUERIES["find_rows"])
    if not candidates.num_rows:
        return []
    with connection.table("candidates", candidates):
        return connection.rows(_QUERIES["find_requests"], _KEPT)


def _table_of(digests: Sequence[str]) -> pa.Table:
    prefixes = pa.array([int.from_bytes(digest.encode()[:_PREFIX_BYTES]) for digest in digests], pa.uint64())
    return pa.table({"prefix": prefixes, "digest": pa.array(list(digests), pa.string())})


def clear(connection: Connection, now_us: int) -> None:
    """Delete the requests that are no longer recognized."""
    connection.run(_QUERIES["clear_requests"], {"oldest_us": now_us - KEPT_S * US_PER_S})
