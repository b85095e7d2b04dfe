"""Whether a pooler stands before the server that hands sessions around between transactions.

With one, a claim, which is a lock of a session, belongs to whoever gets that session next, and settings are another's.
"""

from collections.abc import Callable
from typing import Final

from puppylog.errors import ConfigurationError

ASK: Final = "SELECT pg_backend_pid()"
_ROUNDS: Final = 5  # other clients may take the session that we look for


def hands_around(first: Callable[[], int], second: Callable[[], int]) -> bool:
    """Return whether two connections that are open at the same time take turns at sessions of the server.

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
