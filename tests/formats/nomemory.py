"""Calls native readers while allocations of Python fail, in a process that has one thread.

Such a failure hits whatever thread allocates next. In a process of pytest-xdist, this was sometimes the thread that
talks to the other processes, and the process ended.
"""

import argparse
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from formats.native_builds import load_readers

READER_ARGUMENTS: dict[str, tuple[Any, ...]] = {  # the arguments after the text; none for the other readers
    "access": (0,),
    "klog": (2026, 11, 27, False, True),
    "app": (2026, 11, 27, False, 0, True, 0),
    "plain": (2026, 11, 27, False, 0, True),
    "apache_error": (True,),
    "nginx_error": (True,),
    "postgresql_csv": (True,),
    "postgresql": (False, b"", (), -1, True),
    "json": (b"", True),
    "logfmt": (b"",),
    "cri": (b"", True),
    "syslog": (b"", 2026, 11, 27, False, True),
    "layout": (b"", (), False, False, False, 0, 0, 0),
}
_ALLOCATIONS = 100  # more than a reader makes


def count_failures(readers: ModuleType, name: str) -> int:
    """Let each allocation of a reader's call fail, one in each call; return how many calls were a MemoryError.

    Raises:
        AssertionError: a call has not released its memory.
    """
    testing = importlib.import_module("_testcapi")
    arguments = READER_ARGUMENTS.get(name, ())
    read = getattr(readers, name)
    failures = 0
    for successes in range(_ALLOCATIONS):
        testing.set_nomemory(successes, successes + 1)
        try:
            read(b"a line\n\n", *arguments)
        except MemoryError:
            failures += 1
        finally:
            testing.remove_mem_hooks()
        if readers.count_blocks() != 0:
            raise AssertionError(f"{name}: memory is not released if allocation {successes + 1} fails")
    return failures


def main() -> None:
    """Print the number of failures of each reader that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", type=Path, help="the module of the readers")
    parser.add_argument("names", nargs="+")
    chosen = parser.parse_args()
    readers = load_readers(chosen.readers)
    for name in chosen.names:
        print(name, count_failures(readers, name))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main()
