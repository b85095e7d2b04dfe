"""Sessions last while they are renewed, and end when they are not."""

import pytest

from puppylog.serve.store import sessions as sessions_module
from puppylog.serve.store.sessions import Sessions, TooManySessions
from puppylog.stores.remote.protocol import UnknownSession


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(clock, lease_s=30.0, doubt_s=2.0)


def ended(sessions: Sessions) -> list[str]:
    return [session.id for session in sessions.take_expired()]


def test_a_session_that_is_not_renewed_ends_after_its_lease(sessions: Sessions, clock: Clock) -> None:
    sessions.open("a", "1", "web1")
    clock.now_s += 29.9
    assert ended(sessions) == []
    clock.now_s += 0.2
    assert ended(sessions) == ["a"]
    with pytest.raises(UnknownSession):
        sessions.renew("a", "1")


def test_a_renewed_session_lasts_for_another_lease(sessions: Sessions, clock: Clock) -> None:
    sessions.open("a", "1", "web1")
    for _ in range(5):
        clock.now_s += 20
        sessions.renew("a", "1")
        assert ended(sessions) == []


def test_a_session_whose_connection_broke_ends_soon_unless_its_client_comes_back(
    sessions: Sessions, clock: Clock
) -> None:
    for name in ("a", "b"):
        sessions.open(name, "1", "web1")
        sessions.doubt(name)
    sessions.doubt("unknown")
    sessions.renew("b", "1")
    clock.now_s += 2.1
    assert ended(sessions) == ["a"]


def test_doubt_never_makes_a_session_last_longer(sessions: Sessions, clock: Clock) -> None:
    sessions.open("a", "1", "web1")
    clock.now_s += 29.5
    sessions.doubt("a")
    clock.now_s += 0.6
    assert ended(sessions) == ["a"]


def test_a_session_is_found_with_its_own_token_only(sessions: Sessions) -> None:
    sessions.open("a", "1", "web1")
    with pytest.raises(UnknownSession):
        sessions.renew("a", "2")
    with pytest.raises(UnknownSession):
        sessions.open("a", "2", "web2")


def test_a_session_that_is_opened_again_keeps_its_claims(sessions: Sessions) -> None:
    sessions.open("a", "1", "web1").streams[7] = "file://web1/a.log"
    assert sessions.open("a", "1", "web1").streams == {7: "file://web1/a.log"}


def test_the_holder_of_a_stream_and_the_sender_are_found(sessions: Sessions) -> None:
    first, second = sessions.open("a", "1", "web1"), sessions.open("b", "1", "web2")
    first.streams[7] = "file://web1/a.log"
    second.is_sender = True
    assert sessions.find_holder(["file://web1/b.log", "file://web1/a.log"]) == (first, "file://web1/a.log")
    assert sessions.find_stream_holder([6, 7]) is first
    assert sessions.find_stream_holder([6]) is None
    assert sessions.find_sender() is second
    sessions.end("b")
    assert sessions.find_sender() is None


def test_the_number_of_sessions_is_limited(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "MOST", 2)
    sessions.open("a", "1", "web1")
    sessions.open("b", "1", "web1")
    with pytest.raises(TooManySessions):
        sessions.open("c", "1", "web1")
    sessions.open("a", "1", "web1")
