"""Raises the limit on open files. A followed file stays open, so that it is not lost when it is renamed."""

import contextlib
import resource


def allow_many_files() -> int:
    """Raise this process's soft limit on open files to the hard limit; return the limit that holds now.

    A login shell starts a process with a soft limit of 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # the system may allow less than the hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
