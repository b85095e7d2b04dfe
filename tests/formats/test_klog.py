"""Lines of glog and klog, on both paths and in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, starts_of, texts
from formats.paths import PATHS
from puppylog.formats.base import Options
from puppylog.formats.klog import REASONS
from puppylog.formats.registry import find_format


@given(texts("klog"), st.booleans(), st.data())
def test_both_paths_read_the_same_rows(data: bytes, joins: bool, draw: st.DataObject) -> None:
    options = Options(joins_lines=joins)
    native, python = (read("klog", data, path, options=options) for path in PATHS)
    assert native == python
    if not joins:
        cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
        assert_no_line_is_lost(data, native)
        assert read("klog", data, "native", cuts, options) == native


@pytest.mark.parametrize("path", PATHS)
def test_a_structured_message_may_have_only_so_many_pairs(path: str) -> None:
    for count in (24, 25):
        pairs = "".join(f" key{place}={place}" for place in range(count))
        line = f'I1124 10:00:00.123456       1 main.go:12] "ready"{pairs}\n'
        (record,) = read("klog", line.encode(), path).records
        assert (record["message"] == "ready") is (count == 24)


def test_a_line_without_a_head_does_not_match_from_its_start() -> None:
    assert find_format("klog").find_mismatch("goroutine 7 [running]:") == 0
    assert REASONS == ("no level, time, thread and source at the start",)
