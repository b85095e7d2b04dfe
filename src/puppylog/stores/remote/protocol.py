"""The protocol between the client of a remote store and the server: paths, headers, versions and errors.

A call is a POST to ``/api/v1/store/<call>``. Its body and its answer are sequences of frames (`frames`). The client
gives each call an id of its own, and a repeated call has the same id. The answer has the id of its call, so that a
client notices an answer that belongs to another call. A session, which the client names, holds claims.
"""

from typing import Final

from puppylog.errors import BY_NAME, PuppylogError
from puppylog.stores.messages import decode, encode

PROTOCOL: Final = 2
"""The version of the protocol. It rises with every change that an older client or server would misunderstand."""

PREFIX: Final = "/api/v1/store/"
CONTENT_TYPE: Final = "application/vnd.puppylog.store"

CALL_HEADER: Final = "X-Puppylog-Call"
"""The id of a call: 32 hexadecimal digits that the client draws at random."""
SESSION_HEADER: Final = "X-Puppylog-Session"
"""The id of the client's session: 32 hexadecimal digits. Calls that need no claim have none."""
PROTOCOL_HEADER: Final = "X-Puppylog-Protocol"

WAIT_EVERY_S: Final = 5.0
"""The seconds between two frames with which the server tells the client to wait, while a call takes longer."""
SILENCE_S: Final = 30.0
"""How many seconds without data from the server until the client considers it unavailable."""
LEASE_S: Final = 30.0
"""How many seconds after its last renewal began a session ends at the latest."""
RENEW_S: Final = 10.0
"""How many seconds the server waits before it answers a renewal. A client with claims always waits for one."""

FULL_ROWS: Final = 122_880
FULL_BYTES: Final = 32 << 20
"""The most rows, and bytes of lines, in a batch for a remote store, so that both ends can hold it."""


class UnknownSession(PuppylogError):
    """The server does not know the session, because it was restarted or the session has ended. The client opens it."""


class LinesNeeded(PuppylogError):
    """The store refuses rows and needs their lines, which the client sends with the repeated call."""


_OWN: Final = {kind.__name__: kind for kind in (UnknownSession, LinesNeeded)}


def pack_failure(error: PuppylogError) -> bytes:
    """Return class and parts of an error as JSON. The nearest class that the client knows is taken."""
    known = _OWN.keys() | BY_NAME.keys()
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in known)
    return encode({"error": name, "parts": error.parts})


def unpack_failure(packed: bytes) -> PuppylogError | None:
    """Return the error that `pack_failure` packed; None if it is something else."""
    try:
        failure = decode(packed)
        kind = _OWN.get(failure["error"]) or BY_NAME[failure["error"]]
        return kind(*(str(part) for part in failure["parts"]))
    except (PuppylogError, ValueError, KeyError, TypeError):
        return None
