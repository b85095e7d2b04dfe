from collections.abc import Iterator

import pytest

from support.memory import MemoryOutlet


@pytest.fixture
def outlet() -> Iterator[MemoryOutlet]:
    with MemoryOutlet() as memory:
        yield memory
