"""A record without a stamp takes the time of the record before it in the file, or the time of reading."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.base import Options, Parser
from puppylog.formats.record_times import last_time_of, set_untimed, without_last_time
from puppylog.formats.registry import find_format
from puppylog.model.record import RECORDS, Parsed

READ_AT_US = 1_900_000_000_000_000
READ_AT = datetime.fromtimestamp(READ_AT_US / 1e6, UTC)
STAMPED = b'{"ts": "2026-11-24T10:00:00Z", "a": 1}\n'
LATER = b'{"ts": "2026-11-24T10:00:05Z"}\n'
WITHOUT = b'{"a": 1}\n'
NOTHING = b"{}\n"


def open_parser(context: str = "", zone: str = "UTC") -> Parser:
    return find_format("json", Options(ZoneInfo(zone))).open(context)


def times(parsed: Parsed) -> list[tuple[str, str | None]]:
    """Return the time of day of each record and its source."""
    found = []
    for record in parsed.records.to_pylist():
        attributes = json.loads(record["attributes"] or "{}")
        found.append((f"{record['ts']:%H:%M:%S}" if record["ts"] != READ_AT else "now", attributes.get("ts_source")))
    return found


def test_a_record_takes_the_time_of_the_record_before() -> None:
    parsed = open_parser().parse(STAMPED + WITHOUT + NOTHING + LATER + NOTHING, 0, READ_AT_US)
    assert times(parsed) == [
        ("10:00:00", None),
        ("10:00:00", "before"),
        ("10:00:00", "before"),
        ("10:00:05", None),
        ("10:00:05", "before"),
    ]
    assert (parsed.before, parsed.read) == (3, 0)
    assert parsed.records["attributes"].to_pylist() == [
        '{"a": 1}',
        '{"a": 1, "ts_source": "before"}',
        '{"ts_source": "before"}',
        None,
        '{"ts_source": "before"}',
    ]


def test_records_before_the_first_stamp_take_the_time_of_reading() -> None:
    parsed = open_parser().parse(WITHOUT + NOTHING + STAMPED + NOTHING, 0, READ_AT_US)
    assert times(parsed) == [("now", "read"), ("now", "read"), ("10:00:00", None), ("10:00:00", "before")]
    assert (parsed.before, parsed.read) == (1, 2)


def test_the_last_time_is_kept_between_calls_and_in_the_context() -> None:
    parser = open_parser()
    parser.parse(STAMPED, 0, READ_AT_US)
    assert times(parser.parse(NOTHING, 50, READ_AT_US)) == [("10:00:00", "before")]
    assert times(open_parser(parser.context).parse(NOTHING, 50, READ_AT_US)) == [("10:00:00", "before")]
    assert times(open_parser(without_last_time(parser.context)).parse(NOTHING, 0, READ_AT_US)) == [("now", "read")]
    assert times(open_parser(last_time_of(parser.context)).parse(NOTHING, 0, READ_AT_US)) == [("10:00:00", "before")]


def test_the_time_before_is_an_instant_and_not_a_local_time() -> None:
    parser = open_parser(zone="Europe/Berlin")
    parsed = parser.parse(b'{"ts": "2026-11-24T10:00:00"}\n{}\n', 0, READ_AT_US)
    assert times(parsed) == [("09:00:00", None), ("09:00:00", "before")]


def test_a_time_at_the_epoch_is_a_time() -> None:
    parser = open_parser()
    parser.parse(b'{"ts": "1970-01-01T00:00:00Z"}\n', 0, READ_AT_US)
    assert times(parser.parse(NOTHING, 50, READ_AT_US)) == [("00:00:00", "before")]


SYSLOG = [b"<13>app: no time\n", b"Nov 24 10:00:00 h app: x\n", b"Nov 24 10:00:05 h app: y\n"]
W3C = [b"#Fields: date time c-ip\n", b"2026-11-24 10:00:00 192.0.2.1\n", b"- - 192.0.2.1\n", b"#Fields: c-ip\n"]
LOCAL = [b'{"ts": "2026-10-25T02:10:00"}\n', b'{"ts": "2026-10-25T02:50:00"}\n', NOTHING]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "lines", "zone"),
    [
        ("json", [STAMPED, LATER, WITHOUT, NOTHING, b"no JSON\n"], "UTC"),
        ("json", LOCAL, "Europe/Berlin"),
        ("syslog", SYSLOG, "UTC"),
        ("plain", [b"2026-11-24 10:00:00 x\n", b"no time\n"], "UTC"),
        ("w3c", W3C, "UTC"),
        ("(?P<time>.*);(?P<msg>.*)", [b"2026-11-24 10:00:00;x\n", b";no time\n"], "UTC"),
        ("$time_iso8601 $msec", [b"2026-11-24T10:00:00+00:00 1\n", b"- -\n"], "UTC"),
    ],
)
@given(data=st.data())
def test_lines_give_the_same_times_however_they_are_divided(
    name: str, lines: list[bytes], zone: str, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=12))
    cuts = data.draw(st.sets(st.integers(0, len(chosen))))
    log_format = find_format(name, Options(ZoneInfo(zone), 2026, joins_lines=False))
    whole = log_format.open().parse(b"".join(chosen), 0, READ_AT_US).records.to_pylist()
    parts: list[dict[str, Any]] = []
    context, offset = "", 0
    for start, end in pairwise([0, *sorted(cuts), len(chosen)]):
        parser = log_format.open(context)
        text = b"".join(chosen[start:end])
        parts += parser.parse(text, offset, READ_AT_US).records.to_pylist()
        context, offset = parser.context, offset + len(text)
    assert parts == whole


def test_records_without_a_stamp_can_get_another_time() -> None:
    records = open_parser().parse(STAMPED + WITHOUT + NOTHING, 0, READ_AT_US).records
    other = pa.scalar(READ_AT_US, RECORDS.field("ts").type)
    unmarked = set_untimed(records, other, None)
    assert unmarked["attributes"].to_pylist() == ['{"a": 1}', '{"a": 1}', None]
    assert [ts == READ_AT for ts in unmarked["ts"].to_pylist()] == [False, True, True]
    marked = set_untimed(records, other, "read")
    assert marked["attributes"].to_pylist() == ['{"a": 1}', '{"a": 1, "ts_source": "read"}', '{"ts_source": "read"}']
