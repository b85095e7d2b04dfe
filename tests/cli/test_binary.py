"""Parquet and Arrow keep every value and every type, stream, and show when they are not complete."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import IO

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from puppylog.cli.main import run
from puppylog.errors import UsageError
from puppylog.rows import parquet as parquet_writer
from puppylog.rows.arrow import ArrowWriter
from puppylog.rows.base import Writer
from puppylog.rows.parquet import ParquetWriter
from puppylog.rows.sink import open_binary_stdout
from support.inprocess import InProcess

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = pa.table(
    {
        "ts": pa.array([AT, None, AT + timedelta(microseconds=1)], pa.timestamp("us", "UTC")),
        "line_offset": pa.array([0, -(2**63), 2**63 - 1], pa.int64()),
        "status_code": pa.array([200, None, 500], pa.int16()),
        "message": ["\x1b[2J", "=1+1", None],
        "value": [0.1, None, float("inf")],
        "attributes": pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(['{"a": 1}', None, "{}"])),
        "nothing": pa.nulls(3),
    }
)
Open = Callable[[IO[bytes], pa.Schema], Writer]


def read(writer: Open, written: bytes) -> pa.Table:
    return parquet.read_table(io.BytesIO(written)) if writer is ParquetWriter else ipc.open_stream(written).read_all()


@pytest.fixture(params=[ParquetWriter, ArrowWriter])
def writer(request: pytest.FixtureRequest) -> Open:
    opened: Open = request.param
    return opened


@pytest.mark.parametrize("rows", [ROWS, ROWS.slice(0, 0)])
def test_every_value_and_type_is_read_back(writer: Open, rows: pa.Table) -> None:
    out = io.BytesIO()
    to = writer(out, rows.schema)
    for batch in rows.to_batches(max_chunksize=2):
        to.write(batch)
    to.close()
    assert read(writer, out.getvalue()).equals(rows)


def test_columns_of_the_same_name_get_different_names(writer: Open) -> None:
    out = io.BytesIO()
    rows = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    to = writer(out, rows.schema)
    to.write(rows.to_batches()[0])
    to.close()
    assert read(writer, out.getvalue()).to_pylist() == [{"a": 1, "a_2": 2}]


def test_rows_are_written_before_the_last_row_has_come(writer: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_writer, "_GROUP_ROWS", 3)
    out = io.BytesIO()
    to = writer(out, ROWS.schema)
    before = len(out.getvalue())
    to.write(ROWS.to_batches()[0])
    assert len(out.getvalue()) > before
    to.close()


def test_a_file_of_small_batches_has_few_row_groups() -> None:
    out = io.BytesIO()
    to = ParquetWriter(out, ROWS.schema)
    for _ in range(100):
        to.write(ROWS.to_batches()[0])
    to.close()
    assert parquet.ParquetFile(io.BytesIO(out.getvalue())).num_row_groups == 1


def test_an_answer_that_an_error_ended_is_no_complete_parquet_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_writer, "_GROUP_ROWS", 1)
    out = io.BytesIO()
    to = ParquetWriter(out, ROWS.schema)
    to.write(ROWS.to_batches()[0])
    del to  # as at the end of a process that an error has ended
    assert len(out.getvalue()) > 100
    with pytest.raises(pa.ArrowInvalid, match="magic bytes"):
        read(ParquetWriter, out.getvalue())


def test_a_type_that_parquet_lacks_is_refused_with_the_name_of_its_column() -> None:
    rows = pa.table({"a": [1], "d": [pa.MonthDayNano([1, 2, 3])]})
    with pytest.raises(UsageError, match="cannot write column 'd' as Parquet: Parquet has no type for month_day_nano"):
        ParquetWriter(io.BytesIO(), rows.schema)


def test_neither_format_is_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UsageError, match=r"cannot write Parquet to a terminal: it is not text; .*> rows.parquet"):
        open_binary_stdout("parquet")


@pytest.mark.parametrize("command", [["sql", "select * from log_records order by ts"], ["logs", "-l", "1000"]])
@pytest.mark.parametrize(("name", "opened"), [("parquet", ParquetWriter), ("arrow", ArrowWriter)])
def test_records_are_exported_with_their_types(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, command: list[str], name: str, opened: Open
) -> None:
    del cli  # it has put the store's URL into the environment
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="utf-8"))
    assert run([*command, "-o", name]) == 0
    rows = read(opened, out.getvalue())
    assert rows.num_rows == 120
    assert rows.schema.field("ts").type == pa.timestamp("us", "UTC")
    assert rows.schema.field("status_code").type == pa.int16()
    assert rows["user_agent"].unique().to_pylist() == ["\x1b[2J"]


def test_a_follower_writes_no_parquet_because_the_file_would_never_be_complete(cli: InProcess) -> None:
    assert cli("logs", "-f", "-o", "parquet").err == (
        "puppylog: cannot follow as one Parquet file: use -o jsonl or arrow\n"
    )
