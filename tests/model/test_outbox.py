from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from puppylog.model.alert import State
from puppylog.model.outbox import FORGOTTEN, NewRow, Turn, list_new_rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def turn(id_: int, to_state: State, segment: str | None = None) -> Turn:
    return Turn(id_, segment, at(id_), to_state, 1.0)


def told(rows: list[NewRow]) -> list[tuple[int | None, str, str, int]]:
    return [(row.history_id, row.contact, row.kind.value, (row.episode_at - NOON).seconds) for row in rows]


def test_an_episode_lasts_from_the_first_problem_to_ok() -> None:
    turns = [
        turn(1, State.PENDING),
        turn(2, State.FIRING),
        turn(3, State.NO_DATA),
        turn(4, State.PENDING),
        turn(5, State.OK),
        turn(6, State.FIRING),
    ]
    assert told(list_new_rows(turns, ["ops"], {}, at=at(6))) == [
        (2, "ops", "firing", 2),
        (3, "ops", "no_data", 2),
        (5, "ops", "resolved", 2),
        (6, "ops", "firing", 6),
    ]


def test_a_contact_is_told_of_the_end_if_and_only_if_it_was_told_of_a_problem() -> None:
    unresolved: Mapping[str | None, Mapping[str, datetime]] = {None: {"gone": at(1), "ops": at(1)}}
    rows = list_new_rows([turn(3, State.OK), turn(4, State.OK)], ["new", "ops"], unresolved, at=at(4))
    assert told(rows) == [(3, "gone", "resolved", 1), (3, "ops", "resolved", 1)]


def test_a_new_contact_that_is_told_of_a_later_problem_begins_its_episode_there() -> None:
    rows = list_new_rows([turn(3, State.NO_DATA)], ["new", "ops"], {None: {"ops": at(1)}}, at=at(3))
    assert told(rows) == [(3, "new", "no_data", 3), (3, "ops", "no_data", 1)]


def test_a_segment_that_is_not_judged_any_more_is_resolved_instead_of_without_data() -> None:
    rows = list_new_rows(
        [turn(3, State.NO_DATA, "a"), turn(3, State.NO_DATA, "b")],
        ["ops"],
        {"a": {"ops": at(1)}},
        forgotten={"a", "never told", None},
        at=at(3),
    )
    assert told(rows) == [(3, "ops", "no_data", 3), (None, "ops", "resolved", 1)]
    assert rows[1].reason == FORGOTTEN
