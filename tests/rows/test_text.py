"""The writer in C writes the same JSON and CSV as Python does, which writes one row after another."""

import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from unittest import mock
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from formats.native_builds import build_module, build_with_sanitizers, find_compiler, run_fuzzer
from puppylog.rows import text
from puppylog.rows.base import Writer
from puppylog.rows.cells import csv_cell, json_object
from puppylog.rows.text import CsvRows, CsvWriter, JsonlWriter, JsonRows, JsonWriter
from puppylog.rows.values import plain_rows

INPUTS = os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "300")  # rows that are written under the sanitizers
FUZZ_S = 240 + int(INPUTS) / 50  # at least 50 rows a second
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
HOSTILE = st.text(
    st.sampled_from('"\\,=+-@.12 a\x00\x1b\x7f\x9b\n\té\u0663\u202e\ufeff\uff1d\U0001f415\U000e0001'), max_size=9
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | HOSTILE, inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.builds(
    lambda value, is_ascii, separators: json.dumps(value, ensure_ascii=is_ascii, separators=separators),
    JSON,
    st.booleans(),
    st.sampled_from([(", ", ": "), (",", ":"), (" , ", ": ")]),
)


@contextmanager
def only_in_python() -> Iterator[None]:
    with mock.patch.object(text, "native", None):
        yield


@pytest.fixture(autouse=True)
def _is_native() -> None:
    if text.native is None:
        pytest.skip("NOT TESTED: rows written in C; there was no C compiler when Puppylog was installed")


def write(columns: Sequence[pa.Array]) -> tuple[bytes, bytes]:
    """Return rows as JSON lines and as CSV."""
    batch = pa.RecordBatch.from_arrays(list(columns), [f"c{place}" for place in range(len(columns))])
    converters = JsonRows(batch.schema, UTC, end="\n"), CsvRows(batch.schema, UTC)
    as_json, as_csv = (b"".join(converter.iter_bytes(batch)) for converter in converters)
    return as_json, as_csv


def check(*columns: pa.Array) -> None:
    written = write(columns)
    with only_in_python():
        assert written == write(columns)


def documents(texts: Sequence[str | None]) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(texts, pa.string()))


@given(st.lists(st.none() | TEXT | HOSTILE, max_size=6))
def test_any_text_is_written_as_python_writes_it(texts: list[str | None]) -> None:
    check(pa.array(texts, pa.string()), pa.array(texts, pa.large_string()))


@given(st.lists(st.none() | DOCUMENTS | TEXT.filter(bool), max_size=4))
@example(['{"a": 0.00001}', '{"a": 1e5}', '{"a": -0}', '{"a": -0.0}', '{"a": 1.50}', '{"a": 100000000000000.5}'])
@example(
    ['{"a": 1, "a": 2}', '{"a": "\\u001b"}', '{"a": "\\u001B"}', '{"a": "\\u000a"}', '{"a": "\\/"}', '["\\ud800"]']
)
@example(["[[[1]]]", "[" * 40 + "]" * 40, "[" * 3000 + "]" * 3000, "{}", "[]", "[1,]", '{"a": 01}', '{"a"}', "[NaN]"])
@example(
    [json.dumps({str(key): key for key in range(40)}), '"text"', "7", "7.0", "null", "true", "-", "[-]", "[1", '["']
)
@example(["[0.0001]", "NaN"])
def test_any_document_is_written_as_python_writes_its_value(texts: list[str | None]) -> None:
    for part in [[document] for document in texts] + [texts]:
        check(documents(part))


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-128, 127),
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.booleans(),
            st.none() | st.integers(-62_167_219_200_000_000, 253_402_300_800_000_000),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_number_and_time_is_written_as_python_writes_it(rows: list[tuple[int | None, ...]]) -> None:
    small, large, flags, times = (list(column) for column in zip(*rows, strict=True))
    kinds = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
    check(*(pa.array(small, kind) for kind in kinds), pa.array(large, pa.int64()), pa.array(flags, pa.bool_()))
    for zone in ("UTC", "Europe/Berlin", None):
        check(pa.array(times, pa.timestamp("us", zone)))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("days", [-719_162, -719_163, 2_932_896, 2_932_897, 0, -1, 11_016, 47_540])
def test_times_of_all_units_and_far_years_are_written_as_python_writes_them(unit: str, days: int) -> None:
    per_s = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    at = days * 86_400 * per_s
    if abs(at) < 2**63:
        check(pa.array([at, None, at + per_s // 2], pa.timestamp(unit, "UTC")))


def test_common_columns_are_written_without_an_object_for_each_value() -> None:
    columns = [pa.array([0, None], kind) for kind in (pa.int16(), pa.int64(), pa.timestamp("us", "UTC"))]
    columns += [pa.array(values) for values in (["\x1b", None], [True, None])]
    with mock.patch.object(text, "plain_rows"), mock.patch.object(text, "plain_column") as converted:
        write([*columns, documents(['{"a": [1, 0.5, "é\\n"]}', None])])
    converted.assert_not_called()


def test_times_in_another_zone_than_utc_are_written_with_its_offset() -> None:
    batch = pa.RecordBatch.from_pydict({"ts": pa.array([0], pa.timestamp("us", "UTC"))})
    out = io.StringIO()
    CsvWriter(out, batch.schema, ZoneInfo("Asia/Kathmandu")).write(batch)
    assert out.getvalue() == "ts\n1970-01-01T05:30:00+05:30\n"


def test_a_text_that_is_not_utf_8_fails_as_in_python() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")])
    with pytest.raises(UnicodeDecodeError):
        write([broken])


def test_a_long_answer_is_written_in_blocks_with_every_row_once() -> None:
    batch = pa.RecordBatch.from_pydict({"n": list(range(20_000))})
    outs = [io.StringIO() for _ in range(3)]
    openers: list[Callable[[TextIO, pa.Schema, tzinfo], Writer]] = [JsonlWriter, JsonWriter, CsvWriter]
    for opened, out in zip(openers, outs, strict=True):
        writer = opened(out, batch.schema, UTC)
        for start in (0, 7, 10_007):
            writer.write(batch.slice(start, 10_000 if start else 7))
        writer.write(batch.slice(20_000))
        writer.close()
    lines, document, table = (out.getvalue() for out in outs)
    assert [json.loads(line)["n"] for line in lines.splitlines()] == list(range(20_000))
    assert [row["n"] for row in json.loads(document)] == list(range(20_000))
    assert table == "n\n" + "".join(f"{n}\n" for n in range(20_000))


def test_rows_go_as_bytes_to_a_file_of_utf_8_and_as_text_to_any_other() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["é"]})
    for encoding, expected in [("utf-8", b"x\na\n\xc3\xa9\n"), ("latin-1", b"x\na\n\xe9\n")]:
        out = io.BytesIO()
        stream = io.TextIOWrapper(out, encoding=encoding)
        stream.write("x\n")
        CsvWriter(stream, batch.schema, UTC).write(batch)
        stream.flush()
        assert out.getvalue() == expected


def test_rows_without_columns_are_not_written() -> None:
    batch = pa.RecordBatch.from_pylist([{}, {}], pa.schema([]))
    out = io.StringIO()
    JsonlWriter(out, batch.schema, UTC).write(batch)
    assert out.getvalue() == ""


def test_python_writes_the_rows_that_the_cells_say() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["=1+1", None], "b": [1.5, float("nan")]})
    rows = plain_rows(batch, UTC)
    with only_in_python():
        as_json, as_csv = write(batch.columns)
    assert as_json.decode().splitlines() == [json_object(["c0", "c1"], row) for row in rows]
    assert as_csv.decode().splitlines() == [",".join(map(csv_cell, row)) for row in rows]


@pytest.mark.timeout(FUZZ_S + 60)
def test_sanitizers_find_nothing_in_damaged_buffers() -> None:
    """Addresses and undefined behaviour; `rows_fuzz` says what is damaged."""
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("NOT TESTED: rows written in C; there is no C compiler here")
    build = partial(build_module, compiler, Path(text.__file__).parent, "_rows")
    module, environment = build_with_sanitizers(compiler, build)
    options = (str(module), "--inputs", INPUTS)
    printed = run_fuzzer("rows.rows_fuzz", *options, environment=environment, timeout_s=FUZZ_S)
    assert "the same in Python" in printed
