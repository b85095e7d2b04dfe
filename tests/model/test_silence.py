from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.errors import UsageError
from puppylog.model.silence import Silence, check_silence, matches_pattern

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SILENCE = Silence("upgrade", "web-*", "*", NOON, NOON + timedelta(hours=1), "ada", "new kernel")


@pytest.mark.parametrize(
    ("minutes", "is_held"), [(-1, False), (0, True), (59, True), (60, False)], ids=["before", "start", "last", "end"]
)
def test_a_silence_holds_from_its_start_to_before_its_end(minutes: int, is_held: bool) -> None:
    assert SILENCE.matches("web-1", None, NOON + timedelta(minutes=minutes)) is is_held


def test_a_silence_holds_the_alerts_and_segments_of_its_patterns() -> None:
    of_segment = replace(SILENCE, segment="/shop/*")
    assert of_segment.matches("web-1", "/shop/cart", NOON)
    assert not of_segment.matches("web-1", "/blog", NOON)
    assert not of_segment.matches("web-1", None, NOON)
    assert not of_segment.matches("db", "/shop/cart", NOON)


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("a*b*c", "a--b--b--c", True),
        ("a*b*c", "acb", False),
        ("*b", "ab", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a\\", "a\\", True),
        ("*", "", True),
        ("**", None, True),
        ("", None, False),
        ("a*", "a\nb", True),
    ],
)
def test_a_pattern_has_stars_and_question_marks_only(pattern: str, text: str | None, is_match: bool) -> None:
    assert matches_pattern(pattern, text) is is_match


def test_a_pattern_with_many_stars_is_matched_in_little_time() -> None:
    assert not matches_pattern("a*" * 100 + "b", "a" * 10_000)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": " "}, "it has no name"),
        ({"alert": ""}, "its pattern of alerts is empty"),
        ({"segment": ""}, "its pattern of segments is empty"),
        ({"ends_at": NOON}, "it does not end after its start"),
        ({"starts_at": datetime(2026, 3, 1, 12)}, "no time zone"),  # noqa: DTZ001 - the fault
        ({"comment": "a\nb"}, "its comment has a control character"),
        ({"author": "a" * 501}, "its author has more than 500 characters"),
    ],
)
def test_a_silence_with_a_fault_is_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        check_silence(replace(SILENCE, **changes))
