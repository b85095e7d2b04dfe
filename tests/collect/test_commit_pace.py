"""How often small batches are committed."""

import itertools

from puppylog.collect.commit_pace import GATHER_S, CommitPace


def commit_times(lines_every_s: float, seconds: float) -> list[float]:
    """Return the times of the commits of lines that come evenly. A loop asks for each line."""
    pace, times, now = CommitPace(100.0), [], 100.0
    while now < 100.0 + seconds:
        if pace.may_commit(now):
            pace.note_commit(now)
            times.append(now)
        now += lines_every_s
    return times


def test_lines_that_keep_coming_are_committed_once_per_interval() -> None:
    times = [at for at in commit_times(0.1, 60.0) if at > 110.0]
    pauses = [later - at for at, later in itertools.pairwise(times)]
    assert min(pauses) >= GATHER_S - 0.101
    assert max(pauses) <= GATHER_S + 0.101
    assert len(times) <= 50.0 / GATHER_S + 1


def test_the_first_lines_after_a_quiet_time_are_committed_at_once() -> None:
    pace = CommitPace(100.0)
    for at in (100.0, 100.1, 100.2, 200.0, 200.1, 200.2):
        assert pace.may_commit(at)
        pace.note_commit(at)


def test_lines_that_come_rarely_are_all_committed_at_once() -> None:
    pace = CommitPace(100.0)
    for number in range(50):
        assert pace.may_commit(100.0 + 2 * number * GATHER_S)
        pace.note_commit(100.0 + 2 * number * GATHER_S)


def test_a_commit_becomes_possible_after_the_interval_at_the_latest() -> None:
    pace = CommitPace(100.0)
    for _ in range(20):
        if pace.may_commit(100.0):
            pace.note_commit(100.0)
    assert not pace.may_commit(100.0)
    assert pace.may_commit(100.0 + GATHER_S + 0.001)
