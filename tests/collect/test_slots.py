"""Which sources may be open at once."""

from puppylog.collect.slots import Slots


class Source:
    def __init__(self, name: str, closed: list[str]) -> None:
        self.name = name
        self.is_busy = False
        self._closed = closed

    def close_at_rest(self) -> bool:
        if not self.is_busy:
            self._closed.append(self.name)
        return not self.is_busy


def test_the_source_that_was_idle_for_the_longest_time_is_closed_for_another() -> None:
    closed: list[str] = []
    calls: list[str] = []
    slots = Slots(2, on_full=lambda: calls.append("full"))
    a, b, c, d = (Source(name, closed) for name in "abcd")
    assert slots.take(a)
    assert slots.take(b)
    assert slots.take(a)
    assert (closed, calls) == ([], [])
    slots.touch(a)
    assert slots.take(c)
    assert closed == ["b"]
    a.is_busy = True
    assert slots.take(d)
    assert (closed, calls) == (["b", "c"], ["full"])


def test_a_busy_source_is_not_closed_and_a_released_source_frees_its_slot() -> None:
    closed: list[str] = []
    slots = Slots(1)
    a, b = (Source(name, closed) for name in "ab")
    a.is_busy = True
    assert slots.take(a)
    assert not slots.take(b)
    slots.release(a)
    slots.release(a)
    assert slots.take(b)
    assert closed == []


def test_the_limit_on_sources_is_below_the_limit_on_descriptors() -> None:
    slots = Slots()
    assert 8 <= slots.limit < slots.descriptors
