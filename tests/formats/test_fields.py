"""Which fields become columns, which become attributes, and which are left out."""

import pytest

from puppylog.formats.fields import Member, read_fields
from puppylog.formats.names import find_name
from puppylog.formats.quoting import quote
from puppylog.formats.rows import NO_TIME


def text_member(key: str, text: str) -> Member:
    return Member(key, quote(text), text=text, name=find_name(key))


def number_member(key: str, number: str) -> Member:
    return Member(key, number, text=number, is_number=True, name=find_name(key))


def test_a_member_without_a_name_is_an_attribute() -> None:
    fields = read_fields([text_member("shoe", "left")])
    assert fields.columns == {}
    assert fields.attributes == [("shoe", '"left"')]
    assert fields.ts_us == NO_TIME


def test_a_value_that_does_not_fit_leaves_the_column_to_the_next_name() -> None:
    fields = read_fields([text_member("status", "ok"), number_member("statuscode", "200")])
    assert fields.columns == {"status_code": 200}
    assert fields.attributes == [("status", '"ok"')]


def test_a_member_with_an_unknown_value_is_left_out() -> None:
    silent = [text_member("user", "-"), text_member("msg", ""), Member("status", "null", name=find_name("status"))]
    fields = read_fields(silent)
    assert fields.columns == {}
    assert fields.attributes == []


def test_the_other_members_of_an_object_become_one_attribute() -> None:
    inner = [text_member("method", "GET"), text_member("id", "7")]
    outer = Member("request", '{"method": "GET", "id": "7"}', inner=inner)
    fields = read_fields([outer])
    assert fields.columns == {"request_method": "GET"}
    assert fields.attributes == [("request", '{"id": "7"}')]


@pytest.mark.parametrize(
    ("number", "word"), [("0", "emerg"), ("4", "warning"), ("7", "debug"), ("10", "trace"), ("60", "fatal")]
)
def test_severities_that_are_numbers_become_words(number: str, word: str) -> None:
    assert read_fields([number_member("level", number)]).columns == {"severity": word}
    assert read_fields([text_member("level", number)]).columns == {"severity": word}


@pytest.mark.parametrize("number", ["8", "9", "15", "70", "-1", "3.0"])
def test_other_numbers_are_no_severities(number: str) -> None:
    assert read_fields([number_member("level", number)]).attributes == [("level", number)]


@pytest.mark.parametrize(
    ("text", "ts_us", "is_local"),
    [
        ("2024-04-01T12:00:00.5Z", 1_711_972_800_500_000, False),
        ("2024-04-01 12:00:00", 1_711_972_800_000_000, True),
        ("01/Apr/2024:14:00:00 +0200", 1_711_972_800_000_000, False),
        ("[01/Apr/2024:12:00:00 +0000]", 1_711_972_800_000_000, False),
        ("1711972800.25", 1_711_972_800_250_000, False),
        ("100000000", 100_000_000_000_000, False),
        ("99999999", NO_TIME, False),
        ("2024-13-01T12:00:00Z", NO_TIME, False),
        ("noon", NO_TIME, False),
    ],
)
def test_times_are_read_in_every_known_form(text: str, ts_us: int, is_local: bool) -> None:
    fields = read_fields([text_member("time", text)])
    assert (fields.ts_us, fields.is_local) == (ts_us, is_local)
    assert fields.attributes == ([("time", quote(text))] if ts_us == NO_TIME else [])
