from collections.abc import Iterator
from pathlib import Path

import pytest

from support.tail_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "a.log")
    world.log.touch()
    yield world
    world.stop()


@pytest.fixture
def following(world: World) -> World:
    """A tailer has read two lines, and they are stored."""
    world.append("one\ntwo\n")
    world.start()
    assert world.poll() == [b"one", b"two"]
    return world
