import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import count
from typing import Any

import pyarrow as pa
import pytest

from puppylog.cli.logs.searching import Progress, search_records
from puppylog.monitor.search import Search, find_records
from puppylog.settings import Settings, read_settings
from puppylog.stores.base import Parameters
from support.embedded import EmbeddedStore
from support.inprocess import InProcess
from support.lines import NOON, Source, rows
from support.memory import MemoryReader

HOUR = timedelta(hours=1)


@pytest.fixture
def settings() -> Settings:
    return replace(read_settings({}, {}), zone=UTC)


@pytest.fixture
def reader() -> Iterator[MemoryReader]:
    with MemoryReader() as reader:
        yield reader


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _interrupt(monkeypatch: pytest.MonkeyPatch, kind: Any, at: int) -> None:
    """Let readers of a kind behave as if Ctrl-C was pressed during the query for records number ``at``."""
    query, numbers = kind.query, count()

    def query_or_interrupt(reader: object, sql: str, parameters: Parameters | None = None, **how: Any) -> pa.Table:
        if "records" in (parameters or {}) and next(numbers) == at:
            raise KeyboardInterrupt
        table: pa.Table = query(reader, sql, parameters, **how)
        return table

    monkeypatch.setattr(kind, "query", query_or_interrupt)


def _fill(reader: MemoryReader) -> None:
    for number in range(100):
        reader.insert("log_records", file_id=1, line_offset=number, ts=NOON - number * HOUR)


def test_a_terminal_shows_how_far_back_a_search_has_come_and_then_nothing(
    reader: MemoryReader, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(reader)
    screen = _Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    seconds = iter(range(100))
    progress = Progress(settings, clock=lambda: float(next(seconds)))
    found = search_records(reader, Search(), records=101, progress=progress)
    assert found.interrupted_at is None
    assert found.records == find_records(reader, Search(), records=101)
    assert "searched back to 2026-03-01 11:55:00+00:00, 1 found …" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[1A\x1b[J")  # the line is erased


def test_a_short_search_and_one_without_a_terminal_show_no_progress(
    reader: MemoryReader, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(reader)
    terminal, file = _Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    search_records(reader, Search(), records=101, progress=Progress(settings, clock=lambda: 0.0))
    monkeypatch.setattr(sys, "stderr", file)
    seconds = count()
    search_records(reader, Search(), records=101, progress=Progress(settings, clock=lambda: float(next(seconds))))
    assert terminal.getvalue() == file.getvalue() == ""


def test_an_interrupted_search_has_the_records_of_the_parts_that_were_searched(
    reader: MemoryReader, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(reader)
    for at in range(4):
        with monkeypatch.context() as patch:
            _interrupt(patch, MemoryReader, at)
            if at == 0:
                with pytest.raises(KeyboardInterrupt):
                    search_records(reader, Search(), records=101, progress=Progress(settings))
                continue
            found = search_records(reader, Search(), records=101, progress=Progress(settings))
        times = found.records["ts"].to_pylist()
        assert found.interrupted_at is not None
        assert times == sorted(NOON - n * HOUR for n in range(100) if NOON - n * HOUR >= found.interrupted_at)


def test_ctrl_c_prints_what_was_found_and_says_how_far_the_search_came(
    server: EmbeddedStore, cli: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    Source(server.connect(), "file:///var/log/old.log").append(rows([{"ts": NOON - 10 * HOUR, "host": "10.0.0.1"}]))
    _interrupt(monkeypatch, type(server.connect()), 1)
    got = cli("logs", "host:10.0.0.1", "-l", "1000", "--tz", "UTC", "-q")
    assert (got.code, len(got.out.splitlines())) == (130, 40)
    assert got.err == (
        "puppylog: interrupted: searched back to 2026-03-01 11:56:59+00:00; older records were not searched\n"
    )


def test_programs_get_the_newest_records_first_as_they_are_found(
    cli: InProcess, reader: MemoryReader, settings: Settings
) -> None:
    newest_last = cli("logs", "host:10.0.0.1", "-l", "1000", "-o", "jsonl").out.splitlines()
    newest_first = cli("logs", "host:10.0.0.1", "-l", "1000", "--reverse", "-o", "jsonl").out.splitlines()
    assert newest_first == newest_last[::-1]
    _fill(reader)
    parts: list[pa.Table] = []
    found = search_records(reader, Search(), records=9, progress=Progress(settings), on_part=parts.append)
    assert len(parts) > 1
    assert pa.concat_tables(reversed(parts)) == found.records
