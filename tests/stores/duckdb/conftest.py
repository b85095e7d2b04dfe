from collections.abc import Iterator
from pathlib import Path

import pytest

from support.embedded import EmbeddedStore


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "store") as server:
        yield server
