from collections.abc import Iterator

import pytest

from support.memory import MemoryReader


@pytest.fixture
def reader() -> Iterator[MemoryReader]:
    with MemoryReader() as memory:
        yield memory
