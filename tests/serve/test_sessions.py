import pytest

from puppylog.serve import sessions
from puppylog.serve.sessions import KEPT_S, Sessions


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_ends_by_its_time_or_by_a_log_out() -> None:
    clock = Clock()
    kept = Sessions(clock)
    first, second = kept.begin("a"), kept.begin("b")
    assert first != second
    assert (kept.find(first), kept.find(second), kept.find("another"), kept.find("")) == ("a", "b", None, None)
    kept.end(second)
    kept.end(second)
    clock.now = KEPT_S - 1
    assert (kept.find(first), kept.find(second)) == ("a", None)
    clock.now = KEPT_S
    assert kept.find(first) is None


def test_the_oldest_session_ends_if_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MOST", 2)
    kept = Sessions(Clock())
    first, second, third = (kept.begin(name) for name in "abc")
    assert [kept.find(cookie) for cookie in (first, second, third)] == [None, "b", "c"]
