"""The tables in the page on formats show the right records."""

import json
import re

import pytest

from formats.kinds import KINDS
from formats.paths import PATHS, reading
from puppylog.formats.detection import judge
from puppylog.formats.listed_formats import LISTED
from puppylog.formats.registry import find_format
from support.formats_page import FAMILIES, OVERVIEW, PAGE, list_marked, with_list, with_tables

ROWS = re.findall(
    r"^\| (.+?) \| `(.+?)` \| `(.+?)` \| (\d+) % \| `(\{.+?\})` \|$", OVERVIEW.read_text(encoding="utf-8"), re.MULTILINE
)


def test_there_are_ten_log_formats_in_the_page() -> None:
    assert len({written for _, written, *_ in ROWS}) == 10


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("written", "line", "percent", "record"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_the_line_becomes_the_record(written: str, line: str, percent: str, record: str, path: str) -> None:
    with reading(path):
        verdict = judge(find_format(written), line.encode() + b"\n")
    assert f"{100 * verdict.coverage:.0f}" == percent
    (row,) = verdict.parsed.records.to_pylist()
    read = {name: value for name, value in row.items() if value is not None and name != "line_offset"}
    read |= {"ts": read["ts"].isoformat().replace("+00:00", "Z"), "attributes": json.loads(read["attributes"])}
    assert read == json.loads(record)


def test_the_tables_of_kinds_are_those_that_the_samples_give() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "write them anew with: PYTHONPATH=tests python -m support.formats_page"


def test_the_overview_lists_all_kinds() -> None:
    page = OVERVIEW.read_text(encoding="utf-8")
    assert with_list(page) == page, "write it anew with: PYTHONPATH=tests python -m support.formats_page"


def test_the_page_has_a_table_for_every_kind() -> None:
    marked = list_marked(PAGE.read_text(encoding="utf-8"))
    assert marked[1:] == list(FAMILIES)
    assert set(marked[0].split(", ")) <= set(LISTED)
    names = [name for names in FAMILIES.values() for name in names]
    assert sorted(names) == KINDS
