from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from puppylog.model.query import parse_query
from puppylog.model.query.finders import find_matches
from puppylog.model.record import RECORDS
from puppylog.tui.records import RecordLayout, find_message_start

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(**values: Any) -> Mapping[str, Any]:
    return {**dict.fromkeys(RECORDS.names), "ts": NOON, "stream_id": 1, "file_id": 1, "line_offset": 0, **values}


def draw(layout: RecordLayout, *rows: Mapping[str, Any], context: bool = False) -> list[str]:
    layout.prepare(rows)
    return [line for record in rows for line in layout.draw(record, is_context=context)]


REQUEST = row(
    host="10.0.0.1",
    request_method="GET",
    request_route="/shop/1",
    status_code=503,
    response_bytes=4711,
    user_agent="curl",
)
TRACEBACK = row(
    severity="ERROR", message='it failed\nTraceback (most recent call last):\n  File "x.py", line 1\n\tat once'
)


def test_a_request_is_status_method_route_client_and_size() -> None:
    layout = RecordLayout(80, UTC)
    assert draw(layout, REQUEST) == ["Sunday 2026-03-01 UTC", "12:00:00 503 GET /shop/1  10.0.0.1 4.7kB"]
    assert list(layout.left_out) == ["user_agent"]


def test_the_date_is_a_line_of_its_own_when_it_changes_in_the_zone_of_the_times() -> None:
    rows = [row(ts=NOON + timedelta(hours=hours), message="m") for hours in (0, 1, 11, 12)]
    lines = draw(RecordLayout(80, ZoneInfo("Europe/Berlin")), *rows)
    assert lines == [
        "Sunday 2026-03-01 CET",
        "13:00:00 m",
        "14:00:00 m",
        "Monday 2026-03-02 CET",
        "00:00:00 m",
        "01:00:00 m",
    ]


def test_lines_of_a_message_are_indented_under_its_record() -> None:
    assert draw(RecordLayout(80, UTC), TRACEBACK)[1:] == [
        "12:00:00 error it failed",
        "         Traceback (most recent call last):",
        '           File "x.py", line 1',
        "             at once",
    ]


@pytest.mark.parametrize("width", [40, 80, 160])
def test_a_message_is_wrapped_to_the_width_and_no_word_of_it_is_lost(width: int) -> None:
    message = " ".join(f"word{number}" for number in range(100)) + " " + "x" * 500 + " ü世界" * 30
    lines = draw(RecordLayout(width, UTC), row(message=message))[1:]
    assert max(map(len, lines)) <= width
    assert "".join(lines).replace(" ", "").removeprefix("12:00:00") == message.replace(" ", "")
    indent = " " * (2 if width < 60 else 9)
    assert all(line.startswith(indent) and line[len(indent)] != " " for line in lines[1:])


def test_severities_are_words_in_a_column_and_letters_on_a_narrow_terminal() -> None:
    rows = [row(severity=word, message="m") for word in ("WARN", "err", None, "fatal", "verbose-ish")]
    assert [line[9:] for line in draw(RecordLayout(80, UTC), *rows)[1:]] == [
        "warn   m",
        "error  m",
        "       m",
        "crit   m",
        "verbo… m",
    ]
    assert [line[9:] for line in draw(RecordLayout(40, UTC), *rows)[1:]] == ["W m", "E m", "  m", "C m", "v m"]


def test_the_source_is_shown_if_there_are_several_and_keeps_its_colour() -> None:
    names = {1: "access", 2: "a-very-long-name-of-a-source"}
    one, other = row(message="one"), row(message="other", stream_id=2)
    layout = RecordLayout(60, UTC, name_stream=lambda stream_id: names[stream_id])
    assert draw(layout, one)[1:] == ["12:00:00 one"]
    assert draw(layout, one, other) == ["12:00:00 access     one", "12:00:00 a-very-lo… other"]
    styled = [RecordLayout(60, UTC, color=True, name_stream=names.__getitem__) for _ in range(2)]
    first, second = draw(styled[0], one, other), draw(styled[1], other, one)
    assert sorted(first) == sorted(second)


def test_a_context_line_is_dim_and_nothing_else() -> None:
    [_, line] = draw(RecordLayout(80, UTC, color=True), REQUEST, context=True)
    assert set(line.replace("\x1b[0m", "").split("\x1b[2m")[1:]) == {
        "12:00:00",
        " ",
        "503",
        "GET",
        "/shop/1",
        "  ",
        "10.0.0.1",
        "4.7kB",
    }


def test_a_rejected_line_is_indented_and_wrapped_and_cleaned() -> None:
    layout = RecordLayout(80, UTC)
    assert list(layout.draw_rejected("\tat \x1b[2J\r")) == ["             at \\x1b[2J"]
    assert [len(line) <= 40 for line in RecordLayout(40, UTC).draw_rejected("word " * 30)] == [True] * 5
    assert list(RecordLayout(None, UTC).draw_rejected("a\nb")) == [r"rejected a\nb"]


def test_matches_are_highlighted_and_show_a_field_that_is_otherwise_left_out() -> None:
    layout = RecordLayout(80, UTC, color=True, matches=find_matches(parse_query("CURL shop")))
    line = draw(layout, REQUEST)[1]
    assert "\x1b[1;7mshop\x1b[0m" in line
    assert "\x1b[2muser_agent=\x1b[0m\x1b[1;7mcurl\x1b[0m" in line
    assert not layout.left_out


def test_the_attributes_of_a_record_are_limited_on_a_terminal_and_complete_without() -> None:
    attributes = (
        '{"a": {"b": [1, 2], "c": null}, "user": "x y", "long": "' + "l" * 100 + '", "n": 1.50, "e": "", "t": true}'
    )
    record = row(message="m", attributes=attributes)
    layout = RecordLayout(80, UTC)
    assert "".join(draw(layout, record)[1:]).endswith('n=1.5 e="" t=true a.b=[1, 2]')
    assert "…" in "".join(draw(layout, record))
    assert list(layout.left_out) == ["attributes"]
    assert draw(RecordLayout(40, UTC), record)[-1].endswith("+5")
    [line] = draw(RecordLayout(None, UTC), record)
    assert line == f'2026-03-01T12:00:00+00:00 m  user="x y" long={"l" * 100} n=1.5 e="" t=true a.b=[1, 2]'


def test_without_a_terminal_a_record_is_one_line_with_its_whole_time() -> None:
    zone = ZoneInfo("Europe/Berlin")
    records = (TRACEBACK, row(ts=NOON.replace(microsecond=1), message="a\x1b[2Jb"))
    first, second = draw(RecordLayout(None, zone), *records)
    assert first.startswith("2026-03-01T13:00:00.000000+01:00 error it failed")
    assert first.endswith(r'\nTraceback (most recent call last):\n  File "x.py", line 1\n\tat once')
    assert second == "2026-03-01T13:00:00.000001+01:00 -     a\\x1b[2Jb"


@pytest.mark.parametrize(
    "make", [lambda text: row(message=text), lambda text: row(attributes=f'{{"{text}": "{text}"}}')]
)
def test_control_sequences_of_a_log_never_reach_a_terminal(make: Callable[[str], Mapping[str, Any]]) -> None:
    for width in (None, 40, 80):
        for line in draw(RecordLayout(width, UTC), make("\x9b2J\u202e\r\u200b")):
            assert line.isprintable()


@pytest.mark.parametrize(
    ("text", "severity", "rest"),
    [
        ("2026-03-01 13:00:00,123 INFO shop.cart: hello", "info", "shop.cart: hello"),
        ("[2026-03-01T12:00:00Z] [warning] hello", "WARN", "hello"),
        ("2026-03-01 12:00:00 - ERROR - hello", "error", "hello"),
        ("2026-03-01 12:00:00 ERROR: hello", "error", "hello"),
        ("2026-03-01 12:00:00 INFO hello", "error", "INFO hello"),
        ("2026-03-01 12:00:00 INFO hello", None, "INFO hello"),
        ("2026-03-01 12:00:01 INFO hello", "info", "2026-03-01 12:00:01 INFO hello"),
        ("at 2026-03-01 12:00:00 hello", None, "at 2026-03-01 12:00:00 hello"),
        ("2026-03-01 12:00:00", None, "2026-03-01 12:00:00"),
    ],
)
def test_a_time_and_a_severity_that_are_shown_already_are_left_out_of_the_message(
    text: str, severity: str | None, rest: str
) -> None:
    assert text[find_message_start(text, severity, NOON) :] == rest
    assert draw(RecordLayout(80, UTC), row(message=text, severity=severity))[1].endswith(f" {rest}")


def test_a_record_without_a_message_has_its_fields_only() -> None:
    assert draw(RecordLayout(80, UTC), row(host="web1", attributes='{"a": 1}'))[1:] == ["12:00:00 host=web1 a=1"]


def test_a_name_with_a_blank_is_in_quotes_and_a_record_without_anything_ends_with_its_time() -> None:
    assert draw(RecordLayout(None, UTC), row(attributes='{"a b": 1}')) == ['2026-03-01T12:00:00+00:00 "a b"=1']
    assert draw(RecordLayout(None, UTC), row()) == ["2026-03-01T12:00:00+00:00"]


def test_attributes_that_are_not_json_are_shown_as_they_are() -> None:
    assert draw(RecordLayout(80, UTC), row(message="m", attributes="{" * 9))[1:] == ["12:00:00 m  attributes={{{{{{{{{"]
