"""One suite for every store. A store joins by being made here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.stores.base import Store
from support.embedded import EmbeddedStore


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "store") as server:
        yield server


@pytest.fixture
def store(server: EmbeddedStore) -> Store:
    return server.connect()
