"""Detects a pooler in front of the server that gives each transaction of a client another session.

Puppylog cannot work with such a pooler: a claim is a lock of a session. With the session, the pooler would give the
claim and the settings to the next client.
"""

from collections.abc import Callable
from typing import Final

from puppylog.errors import ConfigurationError

ASK: Final = "SELECT pg_backend_pid()"
_ROUNDS: Final = 5  # other clients may take the session in between


def shares_sessions(first: Callable[[], int], second: Callable[[], int]) -> bool:
    """Return whether two connections that are open at the same time share sessions of the server.

    Args:
        first: returns the process number of the server process that serves one connection.
        second: the same for another connection.
    """
    served = first()
    return any(second() == served or first() != served for _ in range(_ROUNDS))


def refuse_pooler(name: str) -> ConfigurationError:
    return ConfigurationError(
        "use",
        name,
        (
            "a pooler in front of it gives each transaction another session, as PgBouncer does "
            "with pool_mode = transaction, and a collector's claims are locks of its session"
        ),
        advice="name the server itself, or set pool_mode = session for this database",
    )
