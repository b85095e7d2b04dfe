"""The format ``plain``: every line is a message."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import READ_AT_US, assert_no_line_is_lost, read, starts_of, texts
from formats.paths import PATHS
from puppylog.formats.base import Options

READ_AT = datetime.fromtimestamp(READ_AT_US // 1_000_000, UTC)
lines = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(lines.filter(lambda line: not line[0].isdigit() and line[0] not in "[(\ufeff"), st.sampled_from(PATHS))
def test_a_line_without_a_time_gets_the_time_when_it_was_read(line: str, path: str) -> None:
    (record,) = read("plain", f"{line}\n".encode(), path).records
    assert (record.pop("message"), record.pop("ts"), record.pop("line_offset")) == (line, READ_AT, 0)
    assert record.pop("attributes") == '{"ts_source": "read"}'
    assert set(record.values()) == {None}


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - lines without a zone
    st.sampled_from(["{}", "[{}]", "({})"]),
    st.sampled_from(["INFO", "ERROR", "[error]", "| DEBUG |", ""]),
    lines,
    st.sampled_from(PATHS),
)
def test_a_time_and_a_severity_at_the_start_are_read_and_stay_in_the_message(
    at: datetime, frame: str, severity: str, message: str, path: str
) -> None:
    line = f"{frame.format(f'{at:%Y-%m-%d %H:%M:%S},{at.microsecond:06}')} {severity} - {message}"
    (record,) = read("plain", f"{line}\n".encode(), path).records
    assert record["ts"] == at.replace(tzinfo=UTC)
    assert record["message"] == line
    if severity:
        assert record["severity"] == severity.strip("[]| ").lower()


@given(texts("plain"), st.data())
def test_both_paths_read_the_same_rows_in_any_pieces(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
    outcome = read("plain", data, "native")
    assert_no_line_is_lost(data, outcome)
    assert read("plain", data, "python") == outcome
    assert read("plain", data, "native", cuts) == outcome


@pytest.mark.parametrize("path", PATHS)
def test_empty_lines_make_no_record_and_are_counted(path: str) -> None:
    outcome = read("plain", b"a\n\n\r\nb\n\n", path)
    assert [(record["line_offset"], record["message"]) for record in outcome.records] == [(0, "a"), (5, "b")]
    assert (outcome.rejects, outcome.rowless) == ([], 3)


@pytest.mark.parametrize("path", PATHS)
def test_lines_that_look_like_the_rest_of_a_record_are_joined_to_it(path: str) -> None:
    rest = b"\n at x\n\n\ty\n}\nCaused by: z\n... 12 more\nSuppressed: q"
    outcome = read("plain", b"a" + rest + b"\nb\n... and so on\n", path)
    assert [record["message"] for record in outcome.records] == ["a" + rest.decode(), "b", "... and so on"]
    apart = read("plain", b"a" + rest + b"\n", path, options=Options(joins_lines=False))
    assert len(apart.records) == 7


@pytest.mark.parametrize("path", PATHS)
def test_headers_of_other_logs_make_no_record(path: str) -> None:
    headers = b"#Fields: date time\n#separator \\x09\n#types\ttime\tstring\n"
    outcome = read("plain", headers + b"# a comment\n#Fieldsets\n#\n", path)
    assert [record["message"] for record in outcome.records] == ["# a comment", "#Fieldsets", "#"]
    assert outcome.rowless == 3
