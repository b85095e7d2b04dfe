"""Arithmetic beyond 64 bits gives null in DuckDB. Tests of the PostgreSQL store have the same cases."""

import pytest

from puppylog.model.expression import parse_segment, render_segment
from support.memory import MemoryReader
from support.overflow import EDGES


@pytest.mark.sampled
@pytest.mark.parametrize(("text", "value"), EDGES.items())
def test_a_result_beyond_64_bits_is_null_in_duckdb(text: str, value: str | None) -> None:
    with MemoryReader() as reader:
        rendered = render_segment(parse_segment(text), "duckdb")
        assert reader.query(f"SELECT {rendered} AS s").to_pylist() == [{"s": value}]
