"""Records of several lines in servers' logs are the same when a text is read in pieces, as a collector reads a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import read
from formats.paths import PATHS, reading
from formats.sample_files import line_of, read_samples
from puppylog.formats.registry import find_format

NAMES = ["apache_error", "nginx_error", "postgresql", "postgresql_csv"]
LONG = (b"\n\t" + b"x" * 20) * 450  # longer than what is looked at first


def whole_lines(name: str) -> list[bytes]:
    samples = [sample for sample in read_samples(name) if "record" in sample and "as" not in sample]
    return [line_of(sample) + b"\n" for sample in samples]


@pytest.mark.parametrize("name", NAMES)
@given(st.data(), st.sampled_from(PATHS))
def test_a_text_cut_before_its_last_record_gives_the_same_rows(name: str, draw: st.DataObject, path: str) -> None:
    records = draw.draw(st.lists(st.sampled_from(whole_lines(name)), min_size=1, max_size=6))
    data = b"".join(records)
    end = draw.draw(st.sampled_from([at + 1 for at, byte in enumerate(data) if byte == 10]))  # of the lines so far
    with reading(path):
        start = find_format(name).open().find_last_start(data[:end])
    assert 0 <= start < end
    assert read(name, data, path, [start]) == read(name, data, path)


@pytest.mark.parametrize("name", ["apache_error", "nginx_error", "postgresql"])
def test_the_start_of_a_long_record_is_found(name: str) -> None:
    first, second = whole_lines(name)[:2]
    data = first + second[:-1] + LONG + b"\n"
    assert find_format(name).open().find_last_start(data) == len(first)
    assert find_format(name).open().find_last_start(LONG[1:] + b"\n") == -1


def test_the_start_of_a_long_record_is_found_before_its_detail_and_its_statement() -> None:
    head = b"2026-11-24 10:00:00 UTC [42] "
    first, second = head + b"LOG:  a\n", head + b"ERROR:  b\n"
    parts = head + b"DETAIL:  c" + LONG + b"\n" + head + b"STATEMENT:  d" + LONG + b"\n"
    assert find_format("postgresql").open().find_last_start(first + second + parts) == len(first)
