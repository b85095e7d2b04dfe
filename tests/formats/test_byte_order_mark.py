import json

import pytest

from formats.agreement import Outcome, read
from formats.paths import PATHS, reading
from formats.sample_files import FAMILIES, before, line_of, read_samples
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.multiline import Multiline
from puppylog.formats.registry import find_format
from puppylog.tail.boundary import IndentationBoundary

MARK = b"\xef\xbb\xbf"
_LINES = {
    family: before(sample) + line_of(sample) + b"\n"
    for family in FAMILIES
    for sample in [next(sample for sample in read_samples(family) if "record" in sample)]
}
_FORMATS = {
    **{name: name for name in ("access", "cri", "json", "logfmt", "plain", "syslog", "w3c")},
    "log_format": next(sample["as"] for sample in read_samples("log_format") if "record" in sample),
}


def without_offsets(outcome: Outcome) -> list[dict[str, object]]:
    return [{**record, "line_offset": None} for record in outcome.records]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("family", _FORMATS)
def test_a_mark_at_the_start_of_a_file_is_not_part_of_its_first_line(family: str, path: str) -> None:
    written, lines = _FORMATS[family], _LINES[family]
    marked, plain = (read(written, mark + lines * 2, path) for mark in (MARK, b""))
    assert without_offsets(marked) == without_offsets(plain)
    assert [row["line_offset"] for row in marked.records] == [row["line_offset"] + 3 for row in plain.records]
    assert (marked.rejects, marked.rowless) == (plain.rejects, plain.rowless)


@pytest.mark.parametrize("family", ["json", "syslog", "cri", "logfmt", "w3c", "access"])
def test_a_format_is_chosen_as_if_there_were_no_mark(family: str) -> None:
    found = read("auto", MARK + _LINES[family] * 3, "native")
    assert found.context.split("\n")[0] == family
    assert not found.rejects


def test_a_mark_within_a_file_is_text() -> None:
    assert skip_mark(MARK + b"a\n", 1) == (MARK + b"a\n", 1)
    assert read("plain", b"a\n" + MARK + b"b\n", "native").records[1]["message"] == "\ufeffb"


def test_a_rejected_first_line_is_kept_without_the_mark() -> None:
    (reject,) = read("json", MARK + b"oops\n", "native").rejects
    assert (reject["line_offset"], reject["line"]) == (3, b"oops")


def test_a_first_record_of_several_lines_may_have_a_mark() -> None:
    with reading("native"):
        parser = Multiline(find_format("json"), IndentationBoundary().mark_starts).open()
        record, other = parser.parse(MARK + b'{"msg":"a"}\n  b\n{"msg":"c"}\n', 0, 0).records.to_pylist()
    assert (record["line_offset"], record["message"]) == (3, "a\n  b")
    assert (other["line_offset"], json.loads(other["attributes"] or "{}")) == (19, {"ts_source": "read"})
