"""The memory of the engine's process: its limit, and the pages of libraries that it gives up.

The system maps code and constants of DuckDB and Arrow into the process 64 KB at a time, wherever a function is called.
Half of them were needed only at the start. Released pages stay in the system's file cache, from which they are
mapped again when they are used. If memory runs short, the system drops what no process has mapped first.
"""

import ctypes
import mmap
import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from puppylog.stores.duckdb.engine.configuration import MEMORY_LIMIT_BYTES

_STACKS_BYTES: Final = 1 << 30  # an allowance for the stacks of threads: they count as data, and may grow to 8 MB each

_AFTER_S: Final = 10.0  # from the start until pages are given up for the first time
_PERIOD_S: Final = 600.0  # then. Giving them up takes 6 ms of CPU, and mapping again what is used another 2

_MAPPINGS: Final = Path("/proc/self/smaps")

# The lines of a mapping begin with one like "7f00-7f80 r-xp 00001000 08:01 12345   /usr/lib/libarrow.so.2600".
_PAGES: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (?:r-xp [0-9a-f]+|r--p 0+) \S+ \S+ +/.*\.so[.0-9]*\n")
_UNCHANGED: Final = re.compile(r"^Anonymous: +0 kB$", re.MULTILINE)
_SWAPPED: Final = re.compile(r"^Swap: +[1-9]", re.MULTILINE)  # changed pages that are not in memory


def limit_memory() -> None:
    """Limit the memory of this process, so that a huge allocation fails.

    DuckDB's own limit counts the blocks of its pool, but not the texts of the current rows: ``repeat(host, 100000000)``
    took 19 GB in one step, which cannot be interrupted. If the system refuses the memory, the query fails and the
    engine goes on.
    """
    limit = 2 * MEMORY_LIMIT_BYTES + _STACKS_BYTES
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most in (resource.RLIM_INFINITY, -1) or most > limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


class LibraryPages:
    """Gives up the pages of libraries soon after the start of the engine, and then now and again."""

    def __init__(self) -> None:
        self._due_at = time.monotonic() + _AFTER_S

    def give_up_in_time(self) -> None:
        """Give the pages up if it is time. May be called as often as the caller likes."""
        if time.monotonic() >= self._due_at:
            give_up()
            self._due_at = time.monotonic() + _PERIOD_S


def give_up() -> None:
    """Give up the pages of libraries. Does nothing on a system that does not tell what is mapped."""
    try:
        mappings = _MAPPINGS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    advise = ctypes.CDLL(None).madvise
    for start, size in iter_pages(mappings):
        advise(ctypes.c_void_p(start), ctypes.c_size_t(size), mmap.MADV_DONTNEED)  # it may refuse: then nothing changes


def iter_pages(mappings: str) -> Iterator[tuple[int, int]]:
    """Yield address and size, in bytes, of each mapping of a library that the system can read again from its file.

    These are code, and the constants at the beginning of the file. A mapping with changed pages is left out, because
    the changes would be lost.

    Args:
        mappings: the text of ``/proc/PID/smaps``.
    """
    for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", mappings, flags=re.MULTILINE):
        found = _PAGES.match(mapping)
        if found and _UNCHANGED.search(mapping) and not _SWAPPED.search(mapping):
            yield int(found[1], 16), int(found[2], 16) - int(found[1], 16)
