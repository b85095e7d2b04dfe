from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "store") as server:
        yield server


@pytest.fixture
def puppylog(server: EmbeddedStore, tmp_path: Path) -> Puppylog:
    home = tmp_path / "home"
    home.mkdir()
    return Puppylog(server.url, home)


@pytest.fixture
def puppylog_at(tmp_path: Path) -> Callable[[str], Puppylog]:
    """Return a function that runs commands against the store at a URL."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return lambda url: Puppylog(url, home)
