"""Lines of containers, written and read back on both paths."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, starts_of, texts
from formats.paths import PATHS
from formats.sample_files import read_samples
from puppylog.formats.cri import REASONS
from puppylog.formats.registry import find_format

messages = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=40).map(
    lambda text: text and f"~{text}"  # so that no record begins in the message
)
stamps = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the zone comes later
    datetime(2100, 1, 1),  # noqa: DTZ001 - see above
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(stamps, st.sampled_from(["stdout", "stderr"]), st.booleans(), messages, st.sampled_from(PATHS))
def test_fields_written_as_a_line_are_read_back(
    at: datetime, stream: str, is_partial: bool, message: str, path: str
) -> None:
    line = f"{at:%Y-%m-%dT%H:%M:%S.%f}789{at:%z} {stream} {'P' if is_partial else 'F'} {message}\n"
    (record,) = read("cri", line.encode(), path).records
    assert record["ts"] == at
    assert record["message"] == (message or None)
    assert json.loads(record["attributes"]) == {"stream": stream} | ({"partial": True} if is_partial else {})


@given(texts("cri"), st.data())
def test_both_paths_read_the_same_rows_in_any_pieces(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
    outcome = read("cri", data, "native")
    assert_no_line_is_lost(data, outcome)
    assert read("cri", data, "python") == outcome
    assert read("cri", data, "native", cuts) == outcome


words = st.sampled_from(["a", "get", "Get", "GET", "mon", "info", "error", "request", "accepted", "répond"])
"""Words of one, three, seven and eight letters, after which a message is taken for prose, or not."""

ends = st.sampled_from([" ", ":", ": ", "=", "=1 ", ", ", " 1 ", "-", "0:", "_=", "\x1f", "é"])


@given(words, ends, words, st.text("0123456789.,-", max_size=11))
def test_both_paths_know_prose_and_fractions(word: str, end: str, other: str, fraction: str) -> None:
    data = f"2026-11-24T10:00:00{fraction}Z stdout F {word}{end}{other} {other}\n".encode()
    assert read("cri", data, "native") == read("cri", data, "python")


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_a_sample(reason: str) -> None:
    assert reason in {sample.get("reject") for sample in read_samples("cri")}


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("stdout F hello", 0),
        ("2026-02-30T10:00:00Z stdout F hello", 0),
        ("2026-11-24T10:00:00Z stdin F hello", 21),
        ("2026-11-24T10:00:00Z", 20),
        ("2026-11-24T10:00:00Z stderr X hello", 28),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(line: str, at: int) -> None:
    assert find_format("cri").find_mismatch(line) == at
