import resource
from collections.abc import Iterator

import pytest

from puppylog.tail.descriptors import allow_many_files


@pytest.fixture(autouse=True)
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_is_raised_as_far_as_it_goes(limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    assert allow_many_files() == limits[1]
    assert allow_many_files() == limits[1]


def test_a_limit_that_may_not_be_raised_is_returned_unchanged(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int]
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))

    def refuse(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    with monkeypatch.context() as patch:
        patch.setattr(resource, "setrlimit", refuse)
        assert allow_many_files() == 256
