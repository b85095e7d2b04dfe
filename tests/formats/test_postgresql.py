"""PostgreSQL's log with any prefix, and with a prefix that is known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, texts
from formats.paths import PATHS
from formats.sample_files import line_of, read_samples
from puppylog.errors import FormatError
from puppylog.formats.base import Options
from puppylog.formats.detection import find_best, rank
from puppylog.formats.postgresql import csvlog, stderr
from puppylog.formats.postgresql.prefix import compile_prefix, is_prefix
from puppylog.formats.registry import find_format, make_auto

ALONE = Options(joins_lines=False)
DEBIAN = "log_line_prefix = '%m [%p] %q%u@%d '"
WRITTEN = ["postgresql", DEBIAN, "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ", "log_line_prefix='%a%u%-9d%d%p '"]
names = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=9)


@pytest.mark.sampled
@pytest.mark.parametrize("written", WRITTEN)
@given(st.data())
def test_both_paths_read_the_same_rows(written: str, draw: st.DataObject) -> None:
    data = draw.draw(texts("postgresql"))
    assert read(written, data, "python") == read(written, data, "native")
    alone = read(written, data, "native", options=ALONE)
    assert_no_line_is_lost(data, alone)
    assert read(written, data, "python", options=ALONE) == alone


@given(st.data())
def test_both_paths_read_the_same_rows_of_csvlog(draw: st.DataObject) -> None:
    data = draw.draw(texts("postgresql_csv"))
    assert read("postgresql_csv", data, "python") == read("postgresql_csv", data, "native")
    alone = read("postgresql_csv", data, "native", options=ALONE)
    assert read("postgresql_csv", data, "python", options=ALONE) == alone


@pytest.mark.parametrize(
    ("name", "reason"),
    [("postgresql", reason) for reason in stderr.REASONS] + [("postgresql_csv", reason) for reason in csvlog.REASONS],
)
def test_each_reason_has_a_sample(name: str, reason: str) -> None:
    assert reason in {sample.get("reject") for sample in read_samples(name)}


@given(st.sampled_from(["", "x ", "%", "a@b "]), st.lists(names, min_size=3, max_size=3), st.sampled_from(PATHS))
def test_names_of_any_characters_are_read_by_a_known_prefix(literal: str, parts: list[str], path: str) -> None:
    user, database, application = parts
    escaped = literal.replace("%", "%%")
    line = f"{literal}2026-11-24 10:00:00.000 UTC|42|{user}\x01{database}\x01{application}\x01LOG:  hello"
    (record,) = read(f"log_line_prefix = '{escaped}%m|%p|%u\x01%d\x01%a\x01'", f"{line}\n".encode(), path).records
    if not {"\x01"} & {*user, *database, *application}:
        unknown = {"", "-", "[unknown]", "[local]"}
        attributes = json.loads(record["attributes"])
        assert record["ruser"] == (None if user in unknown else user)
        assert attributes.get("database") == (None if database in unknown else database)
        assert attributes.get("application") == (None if application in unknown else application)
    assert record["message"] == "hello"


@pytest.mark.parametrize("path", PATHS)
def test_a_line_that_matches_in_many_places_is_read_in_time(path: str) -> None:
    line = b"2026-11-24 10:00:00.000 UTC [1] " + b"@ " * 100_000
    assert read(DEBIAN, line + b"\n", path, options=ALONE).rejects
    assert read("postgresql", line + b":  " * 100_000 + b"\n", path, options=ALONE).rejects


@pytest.mark.parametrize(
    ("written", "is_one"),
    [
        ("log_line_prefix = '%m [%p] '", True),
        ("log_line_prefix=''", True),
        ("%m [%p] %q%u@%d ", True),
        ("%t [%p-%l] %-10u", True),
        ("%h %l %u %t %p %>s %b", False),
        ('%h %l %u %t "%r" %>s %b', False),
        ("%h %l %u %t %p %U", False),
        ("%t %u", False),
        ("postgresql", False),
    ],
)
def test_a_prefix_is_told_from_a_log_format_of_apache(written: str, is_one: bool) -> None:
    assert is_prefix(written) == is_one


def test_an_unknown_escape_of_a_prefix_is_an_error_that_points_at_it() -> None:
    with pytest.raises(FormatError, match="cannot read log_line_prefix '%m %y': %y is unknown") as raised:
        compile_prefix("log_line_prefix = '%m %y'")
    assert (raised.value.written, raised.value.at) == ("%m %y", 3)


@pytest.mark.parametrize("path", PATHS)
def test_a_record_with_the_most_lines_ends_also_in_a_part_of_it(path: str) -> None:
    data = b"[1] ERROR:  a\n[1] STATEMENT:  b\n" + b"\tx\n" * 2000
    outcome = read("postgresql", data, path)
    statement = json.loads(outcome.records[0]["attributes"])["statement"]
    assert statement.count("\n") == 998  # the record has 1000 lines
    assert [(record["message"] or "").count("\n") + 1 for record in outcome.records] == [1, 1000, 2]


@pytest.mark.parametrize("name", ["postgresql", "postgresql_csv"])
def test_auto_chooses_postgresql(name: str) -> None:
    lines = [line_of(sample) for sample in read_samples(name) if "record" in sample and "as" not in sample]
    parser = find_format("auto").open()
    parser.parse(b"".join(line + b"\n" for line in lines), 0, 0)
    assert parser.name == name


def test_detect_and_auto_choose_the_same_format() -> None:
    part = b"2026-11-24 10:00:00.123 UTC [42] ERROR:  a\n2026-11-24 10:00:00.123 UTC [42] DETAIL:  b\n"
    candidates = make_auto(Options()).candidates
    best, *_ = rank(candidates, part)
    assert best.format.name == "postgresql"
    assert find_best(candidates, part) == best
