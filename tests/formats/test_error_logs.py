"""Error logs of Apache and nginx: both paths read the same, and the offsets of mismatches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, texts
from formats.paths import PATHS
from formats.sample_files import line_of, read_samples
from puppylog.formats import apache_error, nginx_error
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format

NAMES = ["apache_error", "nginx_error"]
ALONE = Options(joins_lines=False)


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_both_paths_read_the_same_rows(name: str, draw: st.DataObject) -> None:
    data = draw.draw(texts(name))
    assert read(name, data, "python") == read(name, data, "native")
    alone = read(name, data, "native", options=ALONE)
    assert_no_line_is_lost(data, alone)
    assert read(name, data, "python", options=ALONE) == alone


@pytest.mark.parametrize(
    ("name", "reason"),
    [("apache_error", reason) for reason in apache_error.REASONS]
    + [("nginx_error", reason) for reason in nginx_error.REASONS],
)
def test_each_reason_has_a_sample(name: str, reason: str) -> None:
    assert reason in {sample.get("reject") for sample in read_samples(name)}


@pytest.mark.parametrize("path", PATHS)
def test_a_message_with_many_clients_is_read_in_time(path: str) -> None:
    line = b"2026/11/24 10:00:00 [error] 1#1: " + b', client: a, request: "' * 40_000
    (record,) = read("nginx_error", line + b"\n", path).records
    assert record["host"] == "a"


@pytest.mark.parametrize(
    ("name", "line", "at"),
    [
        ("apache_error", "hello", 0),
        ("apache_error", "[Tue Nov 31 10:00:00 2026] [error] hello", 1),
        ("apache_error", "[Tue Nov 24 10:00:00 2026] hello", 27),
        ("nginx_error", "hello", 0),
        ("nginx_error", "2026/11/24 10:00:00 hello", 20),
        ("nginx_error", "2026/11/24 10:00:00 [error] hello", 28),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(name: str, line: str, at: int) -> None:
    assert find_format(name).find_mismatch(line) == at


@pytest.mark.parametrize("name", NAMES)
def test_auto_chooses_the_format_of_an_error_log(name: str) -> None:
    lines = [line_of(sample) for sample in read_samples(name) if "record" in sample]
    parser = find_format("auto").open()
    parser.parse(b"".join(line + b"\n" for line in lines), 0, 0)
    assert parser.name == name
