"""Output formats are contracts: each golden file has the same hostile answer in another format."""

import csv
import io
import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.cli import output
from puppylog.cli.tables import Layout, TextWriter
from puppylog.cli.truncation import tell_hidden_columns
from puppylog.rows.base import Writer, unique
from puppylog.rows.cells import csv_cell, json_object
from puppylog.rows.plain import Plain
from puppylog.rows.text import CsvWriter, JsonlWriter, JsonWriter
from puppylog.settings import Settings, read_settings
from puppylog.stores.address import StoreAddress
from puppylog.tui.clean import clean

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2015, 5, 17, 10, 5, 3, 250000, tzinfo=UTC)

TABLE = Settings(store=StoreAddress(""), color=False, output="table", zone=UTC, host="", quiet=False, clock=lambda: AT)

HOSTILE = pa.table(
    {
        "ts": pa.array([AT, None, AT + timedelta(hours=1)], pa.timestamp("us", "UTC")),
        "route": ["/a,b", 'say "hi"', "=cmd|' /C calc'!A0"],
        "agent": ["\x1b]0;owned\x07", "line\nbreak \u202etxt.exe", ""],
        "status": pa.array([200, None, -1], pa.int16()),
        "mean": [1.5, float("nan"), 3.0],
        "price": pa.array([Decimal("1.10"), Decimal("7.00"), None], pa.decimal128(6, 2)),
        "ok": [True, False, None],
        "line": pa.array([b"\x16\x03\x01", "é".encode(), None], pa.binary()),
        "day": pa.array([date(2015, 5, 17), None, None], pa.date32()),
        "parts": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
    }
)


def writer(name: str, out: io.StringIO, *, width: int | None = None) -> Writer:
    schema = HOSTILE.schema
    match name:
        case "json":
            return JsonWriter(out, schema, UTC)
        case "jsonl":
            return JsonlWriter(out, schema, UTC)
        case "csv":
            return CsvWriter(out, schema, UTC)
    return TextWriter(out, schema, TABLE, width=width, bold=width is not None, layout=Layout(has_fractions=True))


@pytest.mark.parametrize(
    ("name", "width", "golden"),
    [
        ("json", None, "hostile.json"),
        ("jsonl", None, "hostile.jsonl"),
        ("csv", None, "hostile.csv"),
        ("table", None, "hostile.piped.txt"),
        ("table", 100, "hostile.terminal.txt"),
    ],
)
def test_an_answer_equals_its_golden_file(name: str, width: int | None, golden: str) -> None:
    out = io.StringIO()
    to = writer(name, out, width=width)
    for batch in HOSTILE.to_batches(max_chunksize=2):
        to.write(batch)
    to.close()
    assert out.getvalue() == (GOLDEN / golden).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "text"), [("json", "[]\n"), ("jsonl", ""), ("csv", "a,b\n"), ("table", "a  b\n")])
def test_an_empty_answer_is_a_valid_document(capsys: pytest.CaptureFixture[str], name: str, text: str) -> None:
    settings = Settings(store=StoreAddress(""), color=None, output=name, zone=UTC, host="", quiet=False)
    output.write_table(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.string())}), settings)
    assert capsys.readouterr().out == text


def test_times_are_written_in_the_requested_zone() -> None:
    out = io.StringIO()
    table = pa.table({"ts": pa.array([AT], pa.timestamp("us", "UTC"))})
    JsonlWriter(out, table.schema, ZoneInfo("Europe/Berlin")).write(table.to_batches()[0])
    assert out.getvalue() == '{"ts": "2015-05-17T12:05:03.250000+02:00"}\n'


def test_text_within_lists_and_objects_of_csv_is_cleaned() -> None:
    hostile = "\x9b2J\u202etxt.exe"
    values: list[Plain] = [[hostile], {"agent": hostile}, {hostile: 1}, [{"a": [hostile]}]]
    for value in values:
        cell = csv_cell(value)
        assert cell.isprintable()
        [[read]] = csv.reader([cell])
        assert json.loads(read) == value


def test_a_table_that_is_cut_to_the_terminal_names_the_cut_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "terminal_width", lambda: 30)
    settings = Settings(store=StoreAddress(""), color=False, output="table", zone=UTC, host="", quiet=False)
    output.write_table(pa.table({"a": ["x" * 99], "b": ["y"]}), settings)
    assert capsys.readouterr().err == "puppylog: cut: a; -o jsonl shows all\n"
    output.write_table(pa.table({"a": ["x"], "b": ["y"]}), settings)
    assert capsys.readouterr().err == ""


@given(st.dictionaries(st.text(min_size=1), st.text(st.characters(codec="utf-8")), min_size=1))
def test_json_loses_nothing(row: dict[str, str]) -> None:
    assert json.loads(json_object(list(row), list(row.values()))) == row


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_a_line_of_csv_is_read_back_as_the_cells_written(cells: list[str]) -> None:
    line = ",".join(map(csv_cell, cells))
    [read] = csv.reader([line])
    assert [cell.removeprefix("'") for cell in read] == [clean(cell).removeprefix("'") for cell in cells]


@given(st.text(st.sampled_from("=+-@1.e a"), min_size=2))
def test_a_cell_that_looks_like_a_formula_is_a_number_or_has_an_apostrophe(text: str) -> None:
    [[cell]] = csv.reader([csv_cell(text)])
    if cell.startswith(("=", "+", "-", "@")):
        assert float(cell) == float(text)


@pytest.mark.parametrize(
    ("text", "cell"),
    [("-", "-"), ("-5", "-5"), ("+49.5", "+49.5"), ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-2+3", "'-2+3")],
)
def test_a_formula_gets_an_apostrophe(text: str, cell: str) -> None:
    assert csv_cell(text) == cell


def test_columns_of_the_same_name_become_members_of_different_names() -> None:
    assert unique(["a", "b", "a", "a_2", "a"]) == ["a", "b", "a_2", "a_2_2", "a_3"]
    out = io.StringIO()
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    JsonlWriter(out, table.schema, UTC).write(table.to_batches()[0])
    assert out.getvalue() == '{"a": 1, "a_2": 2}\n'


def test_people_see_the_machines_time_and_programs_see_utc(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"ts": pa.array([AT], pa.timestamp("us", "UTC")), "day": [1]})
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        for form, written in (("table", "19:05:03    1"), ("jsonl", '"2015-05-17T10:05:03.250000+00:00"')):
            output.write_table(table, read_settings({"output": form}, {"HOME": "/"}, lambda: AT))
            assert written in capsys.readouterr().out
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Berlin", "12:05:03"), ("UTC", "10:05:03")])
def test_a_zone_that_the_user_names_is_in_the_header_and_holds_for_programs_too(
    capsys: pytest.CaptureFixture[str], zone: str, shown: str
) -> None:
    table = pa.table(
        {"ts": pa.array([AT], pa.timestamp("us", "UTC")), "till": pa.array([AT], pa.timestamp("us", "UTC"))}
    )
    output.write_table(table, read_settings({"tz": zone}, {"HOME": "/"}, lambda: AT))
    header, row = capsys.readouterr().out.splitlines()
    assert (header.split(), row.split()) == (["ts", f"({zone})", "till"], [shown, shown])
    output.write_table(table, read_settings({"tz": zone, "output": "csv"}, {"HOME": "/"}, lambda: AT))
    assert f"2015-05-17T{shown}" in capsys.readouterr().out


def test_numbers_of_a_table_are_rounded_and_those_of_programs_are_exact(capsys: pytest.CaptureFixture[str]) -> None:
    table = pa.table({"year": [2015, 26185], "mean": [0.123456789, 12345.678], "share": [1.0, None]})
    output.write_table(table, TABLE)
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["2015", "0.1235", "1"],
        ["26,185", "12,346", "-"],
    ]
    output.write_table(table, replace(TABLE, output="csv"))
    assert capsys.readouterr().out.splitlines()[1:] == ["2015,0.123456789,1", "26185,12345.678,"]


def test_a_field_of_a_record_is_wrapped_below_its_first_character(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "terminal_width", lambda: 24)
    row = {"name": "blog", "rule": "mean over two minutes above ten"}
    output.write_record(row, pa.schema([("name", pa.string()), ("rule", pa.string())]), TABLE)
    assert capsys.readouterr().out.splitlines() == [
        "name  blog",
        "rule  mean over two",
        "      minutes above ten",
    ]


def test_a_message_about_columns_lists_as_many_as_fit_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["severity", "message", "attributes", "user_agent"]
    tell_hidden_columns(TABLE, ["host"], names, 80)
    tell_hidden_columns(TABLE, [], names, 40)
    tell_hidden_columns(TABLE, [], names)
    tell_hidden_columns(TABLE, [], [])
    assert capsys.readouterr().err.splitlines() == [
        "puppylog: cut: host; not shown: severity, message and 2 more; -o jsonl shows all",
        "puppylog: not shown: severity and 3 more; -o jsonl shows all",
        "puppylog: not shown: severity, message, attributes, user_agent; -o jsonl shows all",
    ]
