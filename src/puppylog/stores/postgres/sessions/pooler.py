"""Whether a pooler in front of the server gives each transaction of a client another session.

Puppylog cannot work with such a pooler: a claim is a lock of a session, and would pass, as settings would, to the
client that gets the session next.
"""

from collections.abc import Callable
from typing import Final

from puppylog.errors import ConfigurationError

ASK: Final = "SELECT pg_backend_pid()"
_ROUNDS: Final = 5  # other clients may take the session in between


def hands_around(first: Callable[[], int], second: Callable[[], int]) -> bool:
    """Return whether two connections that are open at the same time share sessions of the server.

    Args:
        first: asks the server over one connection which process serves it.
        second: the same over another one.
    """
    served = first()
    return any(second() == served or first() != served for _ in range(_ROUNDS))


def refuse_pooler(name: str) -> ConfigurationError:
    return ConfigurationError(
        "use",
        name,
        (
            "a pooler stands before it that hands sessions around between transactions, as PgBouncer does "
            "with pool_mode = transaction, and a collector's claims are locks of its session"
        ),
        advice="name the server itself, or set pool_mode = session for this database",
    )
