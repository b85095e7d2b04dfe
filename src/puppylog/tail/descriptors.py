"""How many files may be open at once. Each followed file is, so that it is not lost when it is renamed."""

import contextlib
import resource


def allow_many_files() -> int:
    """Raise this process's limit on open files as far as it may raise it, and return it.

    A login shell gives a process 1,024, and leave to have more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # where the system has a limit of its own below the hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
