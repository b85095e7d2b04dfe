"""Checks that a pooler in front of the server is one through which Puppylog can work.

A claim is a lock of a session. So a session must stay with its client for as long as the client is connected, and must
be reset before another client gets it. PgBouncer does both with ``pool_mode = session`` and its default
``server_reset_query``.
"""

import secrets
import select
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg import pq

from puppylog.errors import ConfigurationError

ASK: Final = "SELECT pg_backend_pid()"
FIRST_ANSWER_S: Final = 10.0  # a pooler may accept a client at once, and then let it wait for a session for minutes
_ROUNDS: Final = 5  # other clients may take the session in between
_RESET_S: Final = 2.0  # a pooler resets a session when it has noticed that its client is gone
_RESET_RETRY_S: Final = 0.02


def find_server_process(connection: "psycopg.Connection[Any]") -> int | None:
    """Return the number of the server process that serves a new connection; None if no answer comes in time.

    Raises:
        psycopg.Error: the connection is lost, or the answer is an error.
    """
    libpq = connection.pgconn
    libpq.send_query(ASK.encode())
    deadline = time.monotonic() + FIRST_ANSWER_S
    answer: pq.abc.PGresult | None = None
    while True:
        libpq.consume_input()
        if libpq.is_busy():
            if not any(select.select([libpq.socket], [], [], max(0.0, deadline - time.monotonic()))):
                return None
        elif (result := libpq.get_result()) is not None:
            answer = result
        else:
            break
    if answer is None or answer.status != pq.ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError(libpq.get_error_message())
    return int(answer.get_value(0, 0) or 0)


def shares_sessions(first: Callable[[], int], second: Callable[[], int]) -> bool:
    """Return whether two connections that are open at the same time share sessions of the server.

    Args:
        first: returns the process number of the server process that serves one connection.
        second: the same for another connection.
    """
    served = first()
    return any(second() == served or first() != served for _ in range(_ROUNDS))


def new_mark() -> int:
    """Return a number that no other session has, for the lock that marks a session."""
    return secrets.randbelow(2**31)


def keeps_lock(is_held: Callable[[], bool]) -> bool:
    """Return whether the lock of a client that has disconnected is still held when a reset would have released it."""
    deadline = time.monotonic() + _RESET_S
    while is_held():
        if time.monotonic() > deadline:
            return True
        time.sleep(_RESET_RETRY_S)
    return False


def refuse_shared(name: str) -> ConfigurationError:
    """Return the error for a pooler that gives each transaction another session."""
    return ConfigurationError(
        "use",
        name,
        (
            "a pooler in front of it gives each transaction another session, as PgBouncer does "
            "with pool_mode = transaction, and a collector's claims are locks of its session"
        ),
        advice="name the server itself, or set pool_mode = session for this database",
    )


def refuse_unreset(name: str) -> ConfigurationError:
    """Return the error for a pooler that gives a client the session of another one with the other one's locks."""
    return ConfigurationError(
        "use",
        name,
        (
            "a pooler in front of it does not reset the session of a client that has disconnected, so the "
            "claims of a collector that was killed would be held for ever"
        ),
        advice="name the server itself, or set server_reset_query = DISCARD ALL, which is PgBouncer's default",
    )
