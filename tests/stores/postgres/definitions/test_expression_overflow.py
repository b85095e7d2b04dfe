"""Arithmetic beyond 64 bits gives null in PostgreSQL as it does in DuckDB."""

import psycopg

from puppylog.model.expression import parse_segment, render_segment
from support.overflow import EDGES
from support.postgres import PostgresServer


def test_a_result_beyond_64_bits_is_null_in_postgresql(shared_postgres: PostgresServer) -> None:
    with shared_postgres.database() as name, psycopg.connect(shared_postgres.url(name)) as connection:
        for text, value in EDGES.items():
            rendered = render_segment(parse_segment(text), "postgres")
            row = connection.execute(f"SELECT {rendered}".encode()).fetchone()
            assert row == (value,), text
