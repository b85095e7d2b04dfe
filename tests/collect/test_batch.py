import json

from puppylog.collect.batch import Batch, flag_cut
from puppylog.collect.dry_run import DryWriter
from puppylog.model.stream import EMPTY_FINGERPRINT, Move
from puppylog.tail.chunk import Chunk, TailedFile
from support.lines import records, rejects

FILE = TailedFile(serial=1, path="/a.log", device=1, inode=2, start=0, file_id=None)


def chunk(start: int, end: int, *, finished: bool = False, is_cut: bool = False) -> Chunk:
    return Chunk(FILE, start, end, b"x\n", start, EMPTY_FINGERPRINT, finished, is_cut)


def test_chunks_of_one_file_make_one_move() -> None:
    batch = Batch(DryWriter().appender(), full_rows=1000)
    batch.add(1, 5, chunk(0, 10), records(2))
    batch.add(1, 5, chunk(10, 30, finished=True), rejects(b"x", b"y", b"z"))
    assert batch.moves == {5: Move(5, 0, 30, EMPTY_FINGERPRINT, finished=True)}
    assert (batch.records, batch.rejects, batch.size_bytes) == (2, 3, 30)
    assert batch.reasons == {"no reason": 3}
    assert batch.finished == [("/a.log", 30)]


def test_a_batch_is_full_by_rows_or_by_bytes() -> None:
    batch = Batch(DryWriter().appender(), full_rows=4)
    batch.add(1, 5, chunk(0, 10), records(2))
    assert not batch.is_full  # two more would just fit
    batch.full_rows = 3
    assert batch.is_full
    batch.full_rows, batch.full_bytes = 4, 10
    assert batch.is_full


def test_a_cut_line_is_marked_as_a_record_and_as_a_rejected_line() -> None:
    (attributes,) = flag_cut(records(1, attributes='{"extra": "x"}')).records["attributes"].to_pylist()
    assert json.loads(attributes) == {"extra": "x", "cut": True}
    (reason,) = flag_cut(rejects(b"x")).rejects["reason"].to_pylist()
    assert reason == "no reason (the line was too long and is cut)"
