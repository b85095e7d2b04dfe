"""Messages of syslog, written and read back on both paths; years, octet counting and pieces."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, starts_of, texts
from formats.paths import PATHS, reading
from formats.sample_files import read_samples
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from puppylog.formats.syslog.reasons import REASONS

paths = st.sampled_from(PATHS)
characters = st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])
words = st.text("abcXYZ019._/%é-", min_size=1, max_size=12).filter(lambda word: word != "-")
names = st.text("abcXYZ019@._é-", min_size=1, max_size=12)
messages = st.text(characters, min_size=1, max_size=30).filter(lambda text: text[0] not in " \ufeff")
elements = st.dictionaries(names, st.dictionaries(names, st.text(characters, max_size=12), max_size=3), max_size=3)
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1))  # noqa: DTZ001 - the zone is written separately


def write_elements(structured: dict[str, dict[str, str]]) -> str:
    def escape(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")

    written = [
        " ".join([name, *(f'{key}="{escape(value)}"' for key, value in members.items())])
        for name, members in structured.items()
    ]
    return "".join(f"[{element}]" for element in written) or "-"


@given(
    st.fixed_dictionaries({"host": st.none() | words, "app": st.none() | words, "msgid": st.none() | words}),
    st.integers(0, 191),
    times,
    st.tuples(elements, messages),
    paths,
)
def test_messages_of_rfc_5424_are_read_back(
    header: dict[str, str | None],
    priority: int,
    at: datetime,
    content: tuple[dict[str, dict[str, str]], str],
    path: str,
) -> None:
    structured, message = content
    host, app, msgid = (header[part] or "-" for part in ("host", "app", "msgid"))
    stamp = f"{at.year:04}-{at:%m-%dT%H:%M:%S.%f}Z"
    line = f"<{priority}>1 {stamp} {host} {app} 17 {msgid} {write_elements(structured)} {message}\n"
    (record,) = read("syslog", line.encode(), path).records
    attributes = json.loads(record["attributes"])
    assert record["ts"].replace(tzinfo=None) == at
    assert (record["host"], record["message"]) == (header["host"], message)
    assert (attributes.get("app"), attributes["pid"], attributes.get("msgid")) == (header["app"], 17, header["msgid"])
    assert attributes.get("structured_data", {}) == structured
    severities = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
    assert record["severity"] == severities[priority % 8]


@given(
    st.sampled_from(["", "<13>"]), times, words, st.tuples(words, st.none() | st.integers(0, 99999), messages), paths
)
def test_messages_of_rfc_3164_are_read_back(
    priority: str, at: datetime, host: str, content: tuple[str, int | None, str], path: str
) -> None:
    app, pid, message = content
    tag = app if pid is None else f"{app}[{pid}]"
    line = f"{priority}{at:%b} {at.day:2} {at:%H:%M:%S} h{host} {tag}: {message}\n"
    (record,) = read("syslog", line.encode(), path, options=Options(year=at.year)).records
    attributes = json.loads(record["attributes"])
    assert record["ts"].replace(tzinfo=None) == at.replace(microsecond=0)
    assert (record["host"], record["message"]) == (f"h{host}", message)
    assert (attributes["app"], attributes.get("pid")) == (app, pid)


@given(texts("syslog"), st.data())
def test_both_paths_read_the_same_rows_in_any_pieces(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
    outcome = read("syslog", data, "native")
    assert_no_line_is_lost(data, outcome)
    assert read("syslog", data, "python") == outcome
    assert read("syslog", data, "native", cuts) == outcome


@pytest.mark.parametrize("path", PATHS)
def test_the_name_of_a_virtual_device_has_at_most_40_bytes(path: str) -> None:
    lines = "".join(f"2026 Nov 24 10:00:00 sw1 %$ {name} %$ up\n" for name in ("é" * 20, "é" * 21))
    messages = [record["message"] for record in read("syslog", lines.encode(), path).records]
    assert messages == ["up", f"%$ {'é' * 21} %$ up"]


@pytest.mark.parametrize("path", PATHS)
def test_the_last_record_is_held_back_with_the_line_that_has_several_messages(path: str) -> None:
    line = b"".join(
        b"%d %s" % (len(frame), frame) for frame in (b"<34>1 - web1 su - - - a", b"<34>1 - web1 su - - - b")
    )
    lines = b"<34>1 - web1 su - - - first\n" + line + b"\n"
    with reading(path):
        start = find_format("syslog").open().find_last_start(lines)
    assert lines[start:] == line + b"\n"


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 28)), max_size=12), st.data(), paths)
def test_years_do_not_depend_on_where_lines_are_cut(
    dates: list[tuple[int, int]], draw: st.DataObject, path: str
) -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    data = "".join(f"{months[month - 1]} {day} 10:00:00 web1 app: hello\n" for month, day in dates).encode()
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)))) if data else set()
    assert read("syslog", data, path, cuts) == read("syslog", data, path)


@given(st.lists(messages, min_size=1, max_size=6), paths)
def test_each_octet_counted_message_makes_a_record_at_its_offset(bodies: list[str], path: str) -> None:
    frames = [f"<13>1 2026-11-24T10:00:00Z web1 app - - - {body}".encode() for body in bodies]
    written = [b"%d %s" % (len(frame), frame) for frame in frames]
    outcome = read("syslog", b"".join(written) + b"\n", path)
    assert [record["message"] for record in outcome.records] == bodies
    starts = [sum(map(len, written[:place])) for place in range(len(written))]
    assert [record["line_offset"] for record in outcome.records] == starts


@pytest.mark.parametrize("path", PATHS)
def test_stamps_without_a_zone_are_read_in_the_given_zone(path: str) -> None:
    data = b"Jul  1 12:00:00 web1 app: a\n<13>1 2026-07-01T12:00:00 web1 app - - - b\n"
    options = Options(ZoneInfo("Europe/Berlin"), 2026)
    stamps = {record["ts"] for record in read("syslog", data, path, options=options).records}
    assert [stamp.isoformat() for stamp in stamps] == ["2026-07-01T10:00:00+00:00"]


@pytest.mark.parametrize("path", PATHS)
def test_the_context_is_the_month_of_the_last_stamp_without_a_year(path: str) -> None:
    data = b"Dec 31 23:59:59 web1 app: a\nJan  1 00:00:00 web1 app: b\n2019-05-01T00:00:00Z web1 app: c\n"
    assert read("syslog", data, path).context == "2026-01\nlast 1556668800000000"
    assert read("syslog", data[-35:], path).context == "\nlast 1556668800000000"


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_a_sample(reason: str) -> None:
    assert reason in {sample.get("reject") for sample in read_samples("syslog")}


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("with another line", 0),
        ("<192>1 - - - - - -", 0),
        ("<34>1 yesterday web1 su - - - hello", 6),
        ("<34>1 2026-11-24T22:14:15Z web1 su", 26),
        ("<34>Nov 31 22:14:15 web1 su: hello", 4),
        ("2026-11-24T10:00:00Z INFO hello", 21),
        ("2026-11-24T10:00:00Z web1 hello", 25),
        ("Nov 24 10:00:00", 15),
        ("18 <13>1 - é - - - -23 <13>1 yesterday - - - -", 29),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(line: str, at: int) -> None:
    assert find_format("syslog").find_mismatch(line) == at


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "note",
    [
        "-- Logs begin at Tue 2026-11-24 08:00:00 UTC, end at Tue 2026-11-24 11:00:00 UTC. --",
        "-- Journal begins at Tue 2026-11-24 08:00:00 UTC. --",
        "-- Reboot --",
        "-- Boot 5f3a17c0000011f18001000000000000 --",
    ],
)
def test_lines_that_journalctl_writes_between_entries_make_no_record(note: str, path: str) -> None:
    lines = f"{note}\nNov 24 10:00:00 web1 shop[7]: sold\n{note}\nNov 24 10:00:01 web1 shop[7]: sold\n"
    parsed = read("syslog", lines.encode(), path)
    assert [record["message"] for record in parsed.records] == ["sold", "sold"]
    assert (parsed.rejects, parsed.rowless) == ([], 2)
