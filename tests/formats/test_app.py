"""Text of applications: heads on both paths, in pieces, and what is no head."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, texts
from formats.paths import PATHS, reading
from formats.sample_files import line_of, read_samples
from formats.stamp_styles import STYLES, ZONES
from formats.test_stamp import AT, us_of
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format

HEADS = [
    ("{stamp} ERROR cannot pay", "cannot pay"),
    ("[{stamp}] [ERROR] cannot pay", "cannot pay"),
    ("{stamp} - shop - ERROR - cannot pay", "cannot pay"),
    ("{stamp} [main] ERROR c.e.Shop - cannot pay", "cannot pay"),
    ("{stamp}|ERROR|Shop|cannot pay", "cannot pay"),
    ("{stamp} | ERROR    | cannot pay", "cannot pay"),
    ("[{stamp}][ERROR][o.e.Shop ] cannot pay", "cannot pay"),
    ("ERROR [main] {stamp} Shop.java:12 - cannot pay", "cannot pay"),
    ("ERROR {stamp} cannot pay", "cannot pay"),
    ("[ERROR] {stamp} cannot pay", "cannot pay"),
    ("ERROR: {stamp} cannot pay", "cannot pay"),
    ("({stamp}) error: cannot pay", "cannot pay"),
    ("12 {stamp} ERROR cannot pay", "cannot pay"),
    ("web-1 | {stamp} ERROR cannot pay", "cannot pay"),
]


@pytest.mark.sampled
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("head", "message"), HEADS)
def test_a_stamp_of_every_style_is_read_at_every_place_of_a_head(head: str, message: str, path: str) -> None:
    lines, wanted = [], []
    for style in (style for style in STYLES if not style.is_refused):
        for zone in (zone for zone in ("", "Z", " +0100", " UTC", " PDT") if style.takes(zone)):
            lines.append(head.replace("{stamp}", style.write(style.cut(AT), zone)))
            wanted.append(us_of(style.cut(AT) - (ZONES[zone] or timedelta(0))))
    data = "".join(f"{line}\n" for line in lines).encode()
    records = read("app", data, path).records
    assert len(records) == len(lines)
    for line, us, record in zip(lines, wanted, records, strict=True):
        assert (us_of(record["ts"]), record["severity"], record["message"]) == (us, "error", message), line


@pytest.mark.parametrize("path", PATHS)
def test_a_trace_belongs_to_the_record_before(path: str) -> None:
    for sample in read_samples("app"):
        alone = read("app", line_of(sample) + b"\n", path).records
        with_trace = read("app", line_of(sample) + b"\n    at shop.pay\nCaused by: gone\n", path).records
        assert len(alone) == len(with_trace), sample["title"]
        assert with_trace[-1]["message"].startswith(alone[-1]["message"] or ""), sample["title"]
        assert with_trace[-1]["message"].endswith("at shop.pay\nCaused by: gone"), sample["title"]


@given(texts("app"), st.booleans())
def test_both_paths_read_the_same_rows(data: bytes, joins: bool) -> None:
    options = Options(joins_lines=joins)
    native, python = (read("app", data, path, options=options) for path in PATHS)
    assert native == python
    if not joins:
        assert_no_line_is_lost(data, native)


@pytest.mark.parametrize("path", PATHS)
def test_without_joining_each_line_is_a_record(path: str) -> None:
    data = b"2026-11-24 10:00:00 ERROR a\n  at b\nc\n"
    records = read("app", data, path, options=Options(joins_lines=False)).records
    assert [record["message"] for record in records] == ["a", "  at b", "c"]
    assert [record["severity"] for record in records] == ["error", None, None]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "line",
    [
        "Error: cannot open the file",
        "error cannot open",
        "  2026-11-24 10:00:00 INFO within a message",
        "\tat com.example.Shop.pay(Shop.java:12)",
        "Expires: 2020-01-01 00:00:00",
        "certificate expired at 2020-01-01 00:00:00",
        "1234567890 items",
        "10:00:00 and no level",
        "}",
        "-----",
        "[1, 2, 3]",
        "Information about something",
        "critical section entered",
    ],
)
def test_what_begins_no_record_continues_the_record_before(line: str, path: str) -> None:
    (record,) = read("app", f"2026-11-24 10:00:00 INFO head\n{line}\n".encode(), path).records
    assert record["message"] == f"head\n{line}"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "message",
    [
        "0 errors, 2 warnings",
        "no error found",
        "error_log /var/log/error.log is open",
        "ErrorDocument 404 /lost",
        "Error reporting is on",
        "info page loaded",
        "received INFO from sip:alice@example.org",
        "the level is DEBUG now",
        "status=ERROR code=12",
        "select 'a: ERROR: b'",
        '{"a": "b: ERROR: c"}',
        "the ABC1234X is not known",
        "ABC1234X is not known",
        "AB1234E is not known",
        "the shop (error) is closed",
        "the shop: error: closed",
        "the first of all words of a message that is long before: what looks like a level: ERROR: late",
        "12 of 10.0.0.5 ERRORS",
    ],
)
def test_no_level_is_made_of_words_within_a_message(message: str, path: str) -> None:
    (record,) = read("app", f"2026-11-24 10:00:00 {message}\n".encode(), path).records
    assert (record["severity"], record["message"]) == (None, message)


@pytest.mark.parametrize("path", PATHS)
def test_a_zone_with_several_meanings_is_named(path: str) -> None:
    (record,) = read("app", b"2026-11-24 10:00:00 IST WARN slow\n", path).records
    assert json.loads(record["attributes"])["zone"] == "IST"


@pytest.mark.parametrize("path", PATHS)
def test_a_place_named_in_a_stamp_gives_the_zone(path: str) -> None:
    options = Options(ZoneInfo("Asia/Tokyo"))
    lines = (
        b"[24-Nov-2026 10:00:00 Europe/Berlin] a\n[24-Jul-2026 10:00:00 Europe/Berlin] b\n[24-Jul-2026 10:00:00] c\n"
    )
    hours = [record["ts"].hour for record in read("app", lines, path, options=options).records]
    assert hours == [9, 8, 1]
    assert read("app", b"[24-Nov-2026 10:00:00 Europe/Nowhere] d\n", path, options=options).records[0]["ts"].hour == 1


BEHIND_IDS = b"78017 00cff -- none -- - 2026-11-24 10:00:01 WARN slow\n"


@pytest.mark.parametrize("path", PATHS)
def test_a_stamp_behind_ids_begins_no_record_after_records_that_begin_with_a_stamp(path: str) -> None:
    data = b"2026-11-24 10:00:00 ERROR failed\n" + BEHIND_IDS
    (record,) = read("app", data, path).records
    assert (record["severity"], record["message"]) == ("error", f"failed\n{BEHIND_IDS.decode().strip()}")
    first = read("app", data[:33], path)
    with reading(path):
        parsed = find_format("app", Options()).open(first.context).parse(BEHIND_IDS, 0, 0)
    assert parsed.records["severity"].to_pylist() == [None]


@pytest.mark.parametrize("path", PATHS)
def test_records_with_stamps_behind_ids_are_apart_and_keep_their_traces(path: str) -> None:
    data = BEHIND_IDS + b"  at shop.pay\n" + BEHIND_IDS + b"2026-11-24 10:00:02 ERROR failed\n" + BEHIND_IDS
    outcome = read("app", data, path)
    messages = [record["message"] for record in outcome.records]
    assert messages == ["slow\n  at shop.pay", "slow", "failed", "slow"]
    assert read("app", data, path, [len(BEHIND_IDS), 2 * len(BEHIND_IDS) + 14]).records == outcome.records


PREFIXES = [
    *(
        "scheduled for ",
        "Order 12 is open until ",
        "valid 3 days from ",
        "at ",
        "Started: ",
        "since=",
        "A, 12 ",
    ),
    *("until ", '"12" ', "- ", "adm adm 12 ", "  12 00cff - ", "00cff -- next ", "00cff end. ", f"{'0cff ' * 17}"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_stamp_behind_words_or_after_much_text_is_no_time(prefix: str, path: str) -> None:
    for written in ("plain", "app"):
        (record,) = read(written, f"{prefix}2026-12-24 10:00:00 x\n".encode(), path).records
        assert json.loads(record["attributes"])["ts_source"] == "read", written


pieces = st.sampled_from(
    [
        *(
            "2026-11-24 10:00:00",
            "2026-11-24T10:00",
            "1795514400",
            "1795514400.5",
            "2026.11.24 ",
            "11/24/2026 ",
            "2026-",
        ),
        *(
            "::",
            ":",
            "|",
            " ",
            "  ",
            "-",
            " - ",
            "--",
            "none",
            "Word",
            "ERROR",
            "APPREAD",
            "00cff",
            "12",
            ".",
            "/",
            "@",
        ),
        *("MainThread", "e", "A", "é", "\t", "[", "\u202fAM", "Nov 24 10:00:00", "LOG3[1:2]:", "8a1\t"),
    ]
)


@given(st.lists(st.lists(pieces, max_size=9).map("".join), min_size=1, max_size=5))
def test_both_paths_read_the_same_prefixes(lines: list[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    for written in ("app", "plain"):
        assert read(written, data, "native") == read(written, data, "python"), written
