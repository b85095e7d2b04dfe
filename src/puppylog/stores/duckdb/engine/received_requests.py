"""The senders' requests whose lines are stored, in the engine: recognized for an hour, then deleted."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from puppylog.model.request import KEPT_S, ReceivedRequest
from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.refresh import US_PER_S
from puppylog.stores.queries import load_queries
from puppylog.stores.received_requests import refuse_repeated

_QUERIES = load_queries("puppylog.stores.duckdb", "requests.sql")

_KEPT: Final = {"kept_s": KEPT_S}


def add_requests(connection: Connection, requests: Sequence[ReceivedRequest]) -> None:
    """Store requests in the caller's transaction.

    Raises:
        RequestRepeated: the store has one of the requests, or two of them have one digest.
    """
    digests = [request.digest for request in requests]
    if len(set(digests)) < len(digests):
        refuse_repeated(next(digest for digest in digests if digests.count(digest) > 1))
    known = find_requests(connection, digests)
    if known:
        refuse_repeated(known[0].digest, known[0].age_s)
    columns = {"digest": pa.array(digests), "answer": pa.array([request.answer for request in requests])}
    with connection.table("received", pa.table(columns)):
        connection.run(_QUERIES["forget_older"])
        connection.run(_QUERIES["insert_requests"])


def find_requests(connection: Connection, digests: Sequence[str]) -> list[ReceivedRequest]:
    """Return those of the requests that were committed within the last KEPT_S seconds."""
    with connection.table("asked", pa.table({"digest": pa.array(list(digests), pa.string())})):
        return [ReceivedRequest(**row) for row in connection.rows(_QUERIES["find_requests"], _KEPT)]


def clear(connection: Connection, now_us: int) -> None:
    """Delete the requests that are not recognized any more."""
    connection.run(_QUERIES["clear_requests"], {"oldest_us": now_us - KEPT_S * US_PER_S})
