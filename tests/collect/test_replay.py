from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from puppylog.collect.replay import Summary, replay
from puppylog.formats.registry import find_format
from puppylog.model.record import NO_RECORDS, NO_REJECTS, RECORDS, REJECTS, Parsed
from puppylog.monitor.rejects import LINES
from puppylog.stores.base import Replayed, Reread

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def batch(*lines: bytes, file_id: int = 1, start: int = 0, at: datetime = FIRST_AT) -> pa.RecordBatch:
    """Return rejected lines that start 1,000 bytes apart."""
    rows = [
        {"stream_id": 9, "file_id": file_id, "line_offset": start + 1000 * number, "rejected_at": at, "line": line}
        for number, line in enumerate(lines)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=LINES)


@dataclass
class Words:
    """A format of words: a word with ``x`` is rejected, one with ``#`` makes no row, all others are records. They have
    a running number, which goes on from one call to the next. Counts the parsers that are opened.
    """

    name: str = "words"
    opened: list[int | None] = field(default_factory=list)

    def open(self, context: str = "", modified_at_us: int | None = None) -> "WordParser":
        assert context == ""
        self.opened.append(modified_at_us)
        return WordParser()

    def find_mismatch(self, line: str) -> int:
        raise AssertionError(line)


class WordParser:
    name = "words"
    context = ""

    def __init__(self) -> None:
        self._number = 0

    def find_last_start(self, lines: bytes) -> int:
        return len(lines)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        records, rejects, rowless, at = [], [], 0, offset
        for line in bytes(data).splitlines(keepends=True):
            words = line.split()
            for word in words:
                found = at + line.index(word)
                if word.startswith(b"#"):
                    rowless += 1
                elif word.startswith(b"x"):
                    rejects.append({"line_offset": found, "reason": f"it is {word.decode()}", "line": word})
                else:
                    ts = EPOCH + timedelta(microseconds=read_at_us) if word == b"now" else SECOND_AT
                    record = {"line_offset": found, "ts": ts, "message": word.decode(), "response_bytes": self._number}
                    records.append(record | ({"attributes": '{"ts_source": "before"}'} if word == b"now" else {}))
                    self._number += 1
            at += len(line)
        return Parsed(
            pa.RecordBatch.from_pylist(records, schema=RECORDS) if records else NO_RECORDS,
            pa.RecordBatch.from_pylist(rejects, schema=REJECTS) if rejects else NO_REJECTS,
            rowless=rowless,
        )


@dataclass
class Store:
    """Accepts all lines except those that are gone or refused."""

    gone: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    calls: list[Sequence[Reread]] = field(default_factory=list)

    def replay(self, lines: Sequence[Reread]) -> Replayed:
        self.calls.append(lines)
        asked = sum(len(set(part.line_offsets.to_pylist())) for part in lines)
        return Replayed(asked - self.gone - sum(self.refused.values()), self.gone, self.refused)

    @property
    def rows(self) -> list[tuple[int, int, int, str]]:
        """Of each record: the file id, its offset, the offset of its line, and its message."""
        return [
            (part.file_id, record["line_offset"], line, record["message"])
            for call in self.calls
            for part in call
            for record, line in zip(part.records.to_pylist(), part.line_offsets.to_pylist(), strict=True)
        ]


def counts(summary: Summary) -> tuple[int, int, int, int]:
    return summary.read, summary.records, summary.unchanged, summary.missed


def test_each_record_gets_the_offset_of_its_line_in_its_file() -> None:
    store = Store()
    summary = replay(store, [batch(b"a", b"x", b"b", start=5000), batch(b"c", file_id=2)], Words())
    assert counts(summary) == (4, 3, 1, 0)
    assert store.rows == [(1, 5000, 5000, "a"), (1, 7000, 7000, "b"), (2, 0, 0, "c")]


def test_a_record_that_starts_within_its_line_gets_the_offset_within_the_line() -> None:
    store = Store()
    replay(store, [batch(b"a b", b" c", start=70)], Words())
    assert store.rows == [(1, 70, 70, "a"), (1, 72, 70, "b"), (1, 1071, 1070, "c")]


def test_a_line_that_fits_only_in_part_stays_rejected_as_a_whole() -> None:
    store = Store()
    summary = replay(store, [batch(b"a xx xy", b"b")], Words())
    assert counts(summary) == (2, 1, 1, 0)
    assert summary.reasons == {"it is xx": 1}
    assert store.rows == [(1, 1000, 1000, "b")]


def test_a_rejected_record_of_several_lines_is_parsed_as_one_record() -> None:
    store = Store()
    summary = replay(store, [batch(b"a", b"b\n  at x\n  at y", b"x\nc", b"d", start=70)], Words())
    assert counts(summary) == (4, 3, 1, 0)
    assert store.rows == [(1, 70, 70, "a"), (1, 1070, 1070, "b\n  at x\n  at y"), (1, 3070, 3070, "d")]


def test_lines_that_say_something_about_others_stay() -> None:
    store = Store()
    summary = replay(store, [batch(b"#", b"a", b"#", b"")], Words())
    assert (counts(summary), summary.rowless) == ((4, 1, 3, 0), 3)
    assert store.rows == [(1, 1000, 1000, "a")]


def test_a_parser_goes_on_within_a_file_and_a_new_one_is_opened_for_the_next() -> None:
    store, words = Store(), Words()
    both = pa.Table.from_batches([batch(b"c", start=2000), batch(b"d", file_id=2, at=SECOND_AT)])
    replay(store, [batch(b"a", b"b"), *both.combine_chunks().to_batches()], words)
    numbers = [number for call in store.calls for part in call for number in part.records["response_bytes"].to_pylist()]
    assert numbers == [0, 1, 2, 0]
    assert words.opened == [int(at.timestamp() * 1e6) for at in (FIRST_AT, SECOND_AT)]
    assert [len(call) for call in store.calls] == [1, 2]


def test_a_record_without_a_time_gets_the_time_of_its_rejection() -> None:
    store = Store()
    lines = pa.Table.from_batches([batch(b"now", b"a"), batch(b"now", start=2000, at=SECOND_AT)])
    replay(store, lines.combine_chunks().to_batches(), Words())
    [[part]] = store.calls
    assert part.records["ts"].to_pylist() == [FIRST_AT, SECOND_AT, SECOND_AT]
    read = '{"ts_source": "read"}'
    assert part.records["attributes"].to_pylist() == [read, None, read]


def test_the_numbers_of_the_store_are_counted() -> None:
    store = Store(gone=1, refused={"the store refuses it: NUL": 2})
    summary = replay(store, [batch(b"a", b"b", b"c", b"d", b"x")], Words())
    assert counts(summary) == (5, 1, 3, 1)
    assert summary.reasons == {"the store refuses it: NUL": 2, "it is x": 1}


def test_a_dry_run_counts_the_lines_that_would_fit() -> None:
    summary = replay(None, [batch(b"a b", b"x", b"#"), batch(b"c", file_id=2)], Words())
    assert counts(summary) == (4, 2, 2, 0)


def test_the_store_is_not_called_if_no_line_fits() -> None:
    store = Store()
    assert counts(replay(store, [batch(b"x", b"#")], Words())) == (2, 0, 2, 0)
    assert store.calls == []


@pytest.mark.parametrize("name", ["combined", "auto"])
def test_damaged_and_odd_lines_are_each_counted_once(name: str) -> None:
    lines = [b"", b"\xff", b"\0", b'1.1.1.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "\xff"', b"\r"]
    summary = replay(None, [batch(*lines)], find_format(name))
    assert summary.read == summary.records + summary.unchanged == len(lines)
    assert summary.records >= 1
