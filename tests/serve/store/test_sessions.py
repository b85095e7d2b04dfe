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


def test_a_session_ends_soon_if_its_client_never_renews_it(sessions: Sessions, clock: Clock) -> None:
    assert sessions.open("a", "1", "web1").is_doubtful
    clock.now_s += 1.9
    assert ended(sessions) == []
    clock.now_s += 0.2
    assert ended(sessions) == ["a"]
    with pytest.raises(UnknownSession):
        sessions.touch("a", "1")


def test_a_session_lasts_while_its_client_waits_for_a_renewal_but_not_longer_than_its_lease(
    sessions: Sessions, clock: Clock
) -> None:
    sessions.open("a", "1", "web1")
    assert not sessions.begin_renewal("a", "1").is_doubtful
    clock.now_s += 29.9
    assert ended(sessions) == []
    clock.now_s += 0.2
    assert ended(sessions) == ["a"]


def test_a_session_whose_client_does_not_wait_any_more_ends_soon_unless_it_comes_back(
    sessions: Sessions, clock: Clock
) -> None:
    for name in ("a", "b"):
        sessions.open(name, "1", "web1")
        sessions.end_renewal(sessions.begin_renewal(name, "1"))
    clock.now_s += 1
    sessions.begin_renewal("b", "1")
    clock.now_s += 1.1
    assert ended(sessions) == ["a"]


def test_a_broken_connection_that_is_noticed_late_does_not_end_a_session_that_was_renewed(
    sessions: Sessions, clock: Clock
) -> None:
    sessions.open("a", "1", "web1")
    first = sessions.begin_renewal("a", "1")
    sessions.begin_renewal("a", "1")
    sessions.end_renewal(first)
    clock.now_s += 20
    assert ended(sessions) == []


def test_other_calls_keep_a_doubtful_session_for_a_moment(sessions: Sessions, clock: Clock) -> None:
    sessions.open("a", "1", "web1")
    for _ in range(5):
        clock.now_s += 1.5
        assert sessions.touch("a", "1").is_doubtful
        assert ended(sessions) == []


def test_a_session_is_found_with_its_own_token_only(sessions: Sessions) -> None:
    sessions.open("a", "1", "web1")
    for call in (sessions.touch, sessions.begin_renewal):
        with pytest.raises(UnknownSession):
            call("a", "2")
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
