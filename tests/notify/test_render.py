"""What a message says, and what it says of what it leaves out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from puppylog.notify.message import MAX_LINES, Kind, SampleLine
from puppylog.notify.render import SIZES, compose, format_plain, format_title
from support.messages import NOON, ONE, RESOLVED, SEVERAL

FIRING = ONE.segments[0]


def lines(count: int) -> tuple[SampleLine, ...]:
    return tuple(SampleLine(NOON - timedelta(seconds=at), f"line {at}") for at in range(count))


@pytest.mark.parametrize(
    ("count", "omitted", "head"),
    [
        (2, 0, "Lines, newest first:"),
        (2, 5, "2 of 7 lines, newest first:"),
        (MAX_LINES, 0, "The newest 10 lines:"),
        (MAX_LINES, 5, "10 of 15 lines, newest first:"),
        (0, 5, "5 matching lines are left out."),
        (0, 1, "1 matching line is left out."),
    ],
)
def test_lines_that_are_left_out_are_counted(count: int, omitted: int, head: str) -> None:
    message = replace(ONE, segments=(replace(FIRING, lines=lines(count), lines_omitted=omitted),))
    text = format_plain(compose(message, SIZES[0]))
    assert head in text.split("\n")
    assert text.count("line ") - text.count("matching line ") == count


def test_a_smaller_message_says_how_many_lines_and_characters_it_lacks() -> None:
    message = replace(ONE, segments=(replace(FIRING, lines=(SampleLine(NOON, "x" * 500),) * 4, lines_omitted=0),))
    text = format_plain(compose(message, SIZES[-2]))
    assert "1 of 4 lines, newest first:" in text
    assert "x… (+440 characters)" in text
    assert "4 matching lines are left out." in format_plain(compose(message, SIZES[-1]))


def test_a_command_that_is_too_long_is_left_out_as_a_whole() -> None:
    text = format_plain(compose(replace(ONE, command="puppylog logs " + "x" * 2000), SIZES[0]))
    assert "The command that shows more is too long for this message." in text
    assert "puppylog logs" not in text


def test_a_late_message_and_a_note_are_told_before_the_rule() -> None:
    text = format_plain(compose(replace(ONE, is_late=True, note="acknowledged by ann: looking into it"), SIZES[0]))
    shown = text.split("\n")
    assert shown[1].startswith("Late: ")
    assert shown[3] == "acknowledged by ann: looking into it"


def test_a_reminder_says_when_the_same_was_told_last() -> None:
    text = format_plain(compose(replace(ONE, told_at=NOON), SIZES[0]))
    assert text.split("\n")[1] == "Reminder: this was told before, last at 2026-05-18 12:00:00 UTC."


def test_nothing_is_said_of_the_rule_of_an_alert_that_was_deleted() -> None:
    text = format_plain(compose(replace(RESOLVED, metric="", summary="", note="the alert was deleted"), SIZES[0]))
    assert text.startswith("[RESOLVED] errors: 2\nthe alert was deleted\nFrom ")
    assert "Rule" not in text


@pytest.mark.parametrize(
    ("kind", "value", "segment", "title"),
    [
        (Kind.FIRING, 12.5, "/a", "[FIRING] errors /a: 12.5, above 10"),
        (Kind.FIRING, None, None, "[FIRING] errors (none)"),
        (Kind.NO_DATA, None, "", "[NO DATA] errors (empty): nothing observed for 5m"),
        (Kind.RESOLVED, 2.0, "/a", "[RESOLVED] errors /a: 2, no longer above 10"),
        (Kind.RESOLVED, None, "/a", "[RESOLVED] errors /a"),
        (Kind.ACKNOWLEDGED, 12.5, "/a", "[ACKNOWLEDGED] errors /a"),
    ],
)
def test_a_title_has_what_happened_and_the_value(
    kind: Kind, value: float | None, segment: str | None, title: str
) -> None:
    report = replace(FIRING, kind=kind, value=value, segment=segment)
    assert format_title(replace(ONE, segments=(report,), each_segment=True)) == title


def test_a_title_of_several_segments_counts_their_kinds() -> None:
    assert format_title(SEVERAL) == "[FIRING 16, RESOLVED 9] errors: 32 segments"


@pytest.mark.parametrize(
    ("link", "is_shown"),
    [
        ("https://logs.example.com/alerts/errors?a=%2F#x", True),
        ("http://[::1]:7380/", True),
        ("javascript:alert(1)", False),
        ("https://a b", False),
        ("https://a/>x", False),
        ("https://ä", False),
    ],
)
def test_only_a_link_of_http_is_shown(link: str, is_shown: bool) -> None:
    assert (f"Page: {link}" in format_plain(compose(replace(ONE, link=link), SIZES[0]))) is is_shown
