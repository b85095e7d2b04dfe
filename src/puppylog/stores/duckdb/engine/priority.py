"""The priority of the threads that store large batches: lower than that of the threads that answer queries.

During a backfill, DuckDB's own threads and the writer would take all processors. A query needs little time, but waited
for the processor for as long as it computed, and now and again for ten times as long. A batch loses nothing: on a
machine without other work, the threads that store it get what queries leave.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# Each step is a factor of 1.25. A thread that has less than this third of the share could keep a lock for too long,
# for which a query waits, when other processes keep all processors busy.
_NICENESS: Final = 5

_THREADS: Final = Path("/proc/self/task")  # of Linux


def lower_own() -> None:
    """Lower the priority of the calling thread. It cannot be raised again without the rights of root."""
    _lower(threading.get_native_id())


@contextmanager
def lowered_for_new_threads() -> Iterator[None]:
    """Lower the priority of the threads that are begun in the ``with`` block, which should be short.

    Does nothing on a system that does not list threads.
    """
    before = _list_threads()
    yield
    for thread_id in _list_threads() - before:
        _lower(thread_id)


def _list_threads() -> set[int]:
    with suppress(OSError):
        return {int(path.name) for path in _THREADS.iterdir()}
    return set()


def _lower(thread_id: int) -> None:
    with suppress(OSError):  # a thread may have ended, and another system may know threads by other numbers
        os.setpriority(os.PRIO_PROCESS, thread_id, os.getpriority(os.PRIO_PROCESS, thread_id) + _NICENESS)
