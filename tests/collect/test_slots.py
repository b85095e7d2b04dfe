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


def test_the_source_that_has_rested_for_longest_is_closed_for_another() -> None:
    closed: list[str] = []
    said: list[str] = []
    slots = Slots(2, on_full=lambda: said.append("full"))
    a, b, c, d = (Source(name, closed) for name in "abcd")
    assert slots.take(a)
    assert slots.take(b)
    assert slots.take(a)
    assert (closed, said) == ([], [])
    slots.touch(a)
    assert slots.take(c)
    assert closed == ["b"]
    a.is_busy = True
    assert slots.take(d)
    assert (closed, said) == (["b", "c"], ["full"])


def test_a_busy_source_is_not_closed_and_a_released_one_makes_room() -> None:
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


def test_there_is_room_for_what_the_process_may_have_open() -> None:
    slots = Slots()
    assert 8 <= slots.limit < slots.descriptors
