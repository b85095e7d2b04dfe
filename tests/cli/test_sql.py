import io

import pytest

from support.inprocess import InProcess


def test_tables_are_found_without_a_schema(cli: InProcess) -> None:
    got = cli("sql", "select count(*) as n, min(ts) as first from log_records", "-o", "csv")
    assert (got.code, got.out, got.err) == (0, "n,first\n120,2026-03-01T12:00:00+00:00\n", "")


def test_a_query_can_come_from_standard_input(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("select 42 as answer"))
    assert cli("sql", "-", "-o", "jsonl").out == '{"answer": 42}\n'


def test_the_bytes_of_a_rejected_line_are_cleaned(cli: InProcess) -> None:
    got = cli("sql", "select line, chr(27) || '[2J' as clear from rejected_lines")
    assert got.out.splitlines()[1].split() == [r"\x16\x03", r"\x1b[2J"]


@pytest.mark.parametrize("question", ["drop table log_records", "selec 1", "select nope", "select 1; select 2"])
def test_a_query_that_the_store_refuses_is_an_error_of_one_line(cli: InProcess, question: str) -> None:
    got = cli("sql", question)
    assert (got.code, got.out, got.err.count("\n")) == (2, "", 1)


def test_an_empty_query_is_refused(cli: InProcess) -> None:
    assert cli("sql", " ").err == "puppylog: cannot query the store: the query is empty\n"
