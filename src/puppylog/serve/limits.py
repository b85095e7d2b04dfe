"""How much the server does at once, and how long it waits for a client."""

from dataclasses import dataclass, replace
from typing import Final

from puppylog.tail.descriptors import allow_many_files

_BODIES: Final = 2  # how many of the largest bodies fit into the memory of all bodies


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a server. Tests have smaller ones.

    A client that only waits, or that sends or reads slowly, costs a connection. It never costs a thread of the store.
    """

    body_bytes: int = 64 << 20  # of one body after decompression; above it, the answer is 413
    bodies_bytes: int = 128 << 20  # of all bodies in memory; above it, the slowest one is refused
    head_bytes: int = 64 << 10  # of the request line and the headers
    connections: int = 1000  # fewer if the process may open few files: half of them are for followed files
    queries: int = 4  # that run at once; others wait
    writes: int = 2  # that run at once; others wait
    decoding: int = 2  # bodies that are decoded at once; others wait
    waiting: int = 64  # queries that wait; above it, the answer is 503
    writes_waiting: int = 256  # as above; a batch of each of a hundred collectors is no reason to refuse one
    query_s: float = 60.0  # for one query
    tails: int = 200  # clients of live tails; above it, the answer is 503
    tail_queries: int = 50  # different queries of live tails; above it, the answer is 503
    head_s: float = 10.0  # for the TLS handshake, and for a request's head
    idle_s: float = 75.0  # between two requests of a connection
    body_pause_s: float = 10.0  # between two parts of a body
    body_s: float = 30.0  # for a whole body, and a second more for each `body_rate` bytes
    body_rate: int = 16 << 10  # bytes a second
    read_s: float = 30.0  # to wait in all for a client to read its answer, and a second more for each `read_rate` bytes
    read_rate: int = 16 << 10  # bytes a second
    linger_s: float = 2.0  # for the rest of a body that the server has refused
    end_s: float = 5.0  # for running requests, when the server ends


def make_limits(body_bytes: int) -> Limits:
    """Return the limits of a server for its largest body.

    The limit on open files of the process is raised as far as the system allows, as a collector does.
    """
    limits = Limits(body_bytes=body_bytes)
    connections = min(limits.connections, allow_many_files() // 2)
    return replace(
        limits,
        bodies_bytes=max(limits.bodies_bytes, _BODIES * body_bytes),
        connections=connections,
        tails=min(limits.tails, connections // 2),  # a live tail is never idle, so it does not give way to others
    )
