"""Stored requests are remembered for an hour, in a limited memory."""

from puppylog.model.request import KEPT_S
from puppylog.serve.recent_requests import RecentRequests


def test_a_request_is_known_with_its_age_for_an_hour() -> None:
    now = [100.0]
    recent = RecentRequests(lambda: now[0])
    recent.add("a", "first", age_s=10)
    assert recent.find("a") == ("first", 10.0)
    assert recent.find("b") is None
    now[0] += KEPT_S - 10.5
    assert recent.find("a") == ("first", KEPT_S - 0.5)
    now[0] += 1
    assert recent.find("a") is None


def test_the_oldest_requests_are_forgotten_when_their_answers_take_much_memory() -> None:
    recent = RecentRequests(lambda: 0.0, max_bytes=10_000)
    for number in range(100):
        recent.add(str(number), "x" * 700)
        recent.add(str(number), "x" * 700)  # the same request counts once
    known = [number for number in range(100) if recent.find(str(number)) is not None]
    assert known == list(range(90, 100))
    recent.add("large", "x" * 20_000)
    assert recent.find("large") is None  # the store has it
    assert recent.find("99") is not None
