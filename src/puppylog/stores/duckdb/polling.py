"""How gRPC waits for its sockets: in the threads that make and answer the calls.

gRPC's own way is a pool of threads, the event engine, which waits for all sockets and hands each message over to the
thread that needs it. While other work keeps the processors busy, each handover waits for one, and a query had some
twenty handovers. Without the event engine it has a third of them. See decision 109.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

# gRPC takes the choice from this variable only, when a process uses gRPC for the first time.
_VARIABLE: Final = "GRPC_EXPERIMENTS"
_WITHOUT_EVENT_ENGINE: Final = "-event_engine_client,-event_engine_listener"

# The release of Arrow whose gRPC was measured. A gRPC that does not know these names says so on stderr, and older ones
# have no event engine.
_ARROW: Final = "26."

_lock = threading.Lock()
_is_chosen = False  # under the lock


@contextmanager
def polling_in_callers() -> Iterator[None]:
    """Let gRPC wait in the threads of the calls if it is used for the first time in the ``with`` block.

    The variable is set for this block only, and only once in a process: other programs that the process starts do not
    inherit it. A value that the user has set stays.
    """
    global _is_chosen  # noqa: PLW0603 - gRPC's choice is one for the whole process, too
    with _lock:
        if _is_chosen or _VARIABLE in os.environ or not pa.__version__.startswith(_ARROW):
            _is_chosen = True
            yield
            return
        os.environ[_VARIABLE] = _WITHOUT_EVENT_ENGINE
        try:
            yield
        finally:
            del os.environ[_VARIABLE]
            _is_chosen = True
