"""The table of the heads of Puppylog's format files."""

from collections.abc import Mapping

import pytest

from formats.kinds import KINDS, read_kind_samples
from formats.sample_files import line_of, read_samples
from puppylog.formats.base import Options
from puppylog.formats.file import lazy
from puppylog.formats.file.beginnings import Head
from puppylog.formats.file.lazy import LazyFormat
from puppylog.formats.listed_formats import LISTED
from puppylog.formats.registry import make_auto
from support.packaged_heads import PATH, write_table


def test_the_table_has_the_heads_of_the_files() -> None:
    assert PATH.read_text(encoding="utf-8") == write_table()


@pytest.mark.thorough  # what the table says is what the files say, see the test above
def test_auto_tries_the_same_formats_with_and_without_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = _list_texts()
    by_table = _list_tried(texts)
    monkeypatch.setattr(lazy, "list_packaged_heads", _know_nothing)
    assert _list_tried(texts) == by_table
    assert sum(map(len, by_table)) > len(KINDS)


@pytest.mark.parametrize("line", [b"zebra crossing\n", b"2026-11-24 10h started\n"])
def test_auto_reads_no_file_of_a_format_that_the_lines_do_not_begin_like(line: bytes) -> None:
    auto = make_auto(Options())
    auto.open().parse(3 * line, 0, 0)
    files = [candidate for candidate in auto.candidates if isinstance(candidate, LazyFormat)]
    assert len(files) > 300
    assert [file.name for file in files if "_definition" in vars(file) or "format" in vars(file)] == []


def _list_tried(texts: list[bytes]) -> list[list[str]]:
    """Return the names of the format files that `auto` tries for each text."""
    files = [candidate for candidate in make_auto(Options()).candidates if isinstance(candidate, LazyFormat)]
    return [[file.name for file in files if file.may_fit(text)] for text in texts]


def _know_nothing() -> Mapping[str, tuple[Head, ...]]:
    return {}


def _list_texts() -> list[bytes]:
    """Return the lines of the samples of every format."""
    kinds = ["".join(f"{sample.line}\n" for sample in read_kind_samples(kind)).encode() for kind in KINDS]
    families = sorted({one.samples for one in LISTED.values()})
    return kinds + [b"".join(line_of(sample) + b"\n" for sample in read_samples(family)) for family in families]
