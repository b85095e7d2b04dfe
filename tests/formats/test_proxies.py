"""Logs of HAProxy and Envoy: both paths read the same, and the offsets of mismatches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, starts_of, texts
from formats.paths import PATHS
from formats.sample_files import read_samples
from puppylog.formats import envoy, haproxy
from puppylog.formats.registry import find_format


@pytest.mark.parametrize("name", ["haproxy", "envoy"])
@given(st.data())
def test_both_paths_read_the_same_rows_in_any_pieces(name: str, draw: st.DataObject) -> None:
    data = draw.draw(texts(name))
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
    outcome = read(name, data, "native")
    assert_no_line_is_lost(data, outcome)
    assert read(name, data, "python") == outcome
    assert read(name, data, "native", cuts) == outcome


@pytest.mark.parametrize(
    ("name", "reason"),
    [("haproxy", reason) for reason in haproxy.REASONS] + [("envoy", reason) for reason in envoy.REASONS],
)
def test_each_reason_has_a_sample(name: str, reason: str) -> None:
    assert reason in {sample.get("reject") for sample in read_samples(name)}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["haproxy", "envoy"])
def test_empty_lines_make_no_record_and_are_counted(name: str, path: str) -> None:
    outcome = read(name, b"\n\r\n", path)
    assert (outcome.records, outcome.rejects, outcome.rowless) == ([], [], 2)


@pytest.mark.parametrize(
    ("name", "line", "at"),
    [
        ("haproxy", "not a client", 0),
        ("haproxy", "192.0.2.7:1 10:00:00 web", 12),
        ("haproxy", "192.0.2.7:1 [24/Nov/2026:10:00:00.123] web shop 0/0", 43),
        ("haproxy", "192.0.2.7:1 [24/Nov/2026:10:00:00.123] web shop/app 0/0", 52),
        ("envoy", "[10:00:00] x", 1),
        ("envoy", '[2026-11-24T10:00:00.123Z] "GET / HTTP/1.1" OK', 44),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(name: str, line: str, at: int) -> None:
    assert find_format(name).find_mismatch(line) == at


@pytest.mark.parametrize("name", ["haproxy", "envoy"])
def test_auto_chooses_the_format_of_a_proxy(name: str) -> None:
    lines = [sample["line"] for sample in read_samples(name) if "record" in sample]
    parser = find_format("auto").open()
    parser.parse("".join(f"{line}\n" for line in lines if line[0].isdigit() or name == "envoy").encode(), 0, 0)
    assert parser.name == name
