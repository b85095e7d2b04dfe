"""Frames are read back as they were written, and nothing else is taken for frames."""

import struct
from contextlib import suppress
from io import BytesIO

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.record import RECORDS, REJECTS
from puppylog.stores.remote.frames import (
    END,
    MAX_FRAME_BYTES,
    WAIT,
    BrokenFrames,
    Frame,
    Kind,
    iter_frames,
    pack_batch,
    pack_frame,
    unpack_batch,
)
from support.lines import records, rejects

KINDS = [kind for kind in Kind if kind not in (Kind.END, Kind.WAIT)]


def read(data: bytes, *, limit_bytes: int | None = None) -> list[Frame]:
    return list(iter_frames(BytesIO(data).read, limit_bytes=limit_bytes))


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.binary(max_size=2000))))
def test_frames_are_read_as_they_were_written(written: list[tuple[Kind, bytes]]) -> None:
    found = read(b"".join(pack_frame(kind, payload) for kind, payload in written) + END)
    assert [(frame.kind, bytes(frame.payload)) for frame in found] == written


@given(st.binary(max_size=2000), st.integers(min_value=0))
def test_frames_that_are_cut_anywhere_are_noticed(payload: bytes, at: int) -> None:
    whole = pack_frame(Kind.JSON, payload) + END
    with pytest.raises(BrokenFrames, match="it is cut"):
        read(whole[: at % len(whole)])


@given(st.binary(max_size=200))
def test_other_bytes_are_no_frames(data: bytes) -> None:
    with pytest.raises(BrokenFrames):
        read(b"<" + data)


def test_a_frame_that_asks_to_wait_is_read() -> None:
    assert [frame.kind for frame in read(WAIT + END)] == [Kind.WAIT]


def test_a_small_frame_that_decompresses_to_much_is_refused_before_it_is_decompressed() -> None:
    bomb = pack_frame(Kind.RECORDS, bytes(50 << 20))
    assert len(bomb) < 10_000
    with pytest.raises(BrokenFrames, match="it has more than 1,048,576 bytes"):
        read(bomb + END, limit_bytes=1 << 20)


@pytest.mark.parametrize("claimed", [10, 1000, MAX_FRAME_BYTES])
def test_a_frame_of_another_size_than_it_says_is_refused(claimed: int) -> None:
    packed = bytes(pa.Codec("zstd").compress(bytes(5000)))
    header = struct.pack("!cII", b"R", len(packed), claimed)
    with pytest.raises(BrokenFrames):
        read(header + packed + END)


def test_batches_are_read_with_their_columns_and_values() -> None:
    for kind, batch in ((Kind.RECORDS, records(5).records), (Kind.REJECTS, rejects(b"\xff\0").rejects)):
        (frame,) = read(pack_batch(kind, batch) + END)
        assert unpack_batch(frame.payload, batch.schema).equals(batch)
    words = pa.RecordBatch.from_pydict({"word": pa.array(["a", None, "a"]).dictionary_encode()})
    (frame,) = read(pack_batch(Kind.ROWS, words) + END)
    assert unpack_batch(frame.payload).equals(words)


def test_a_batch_with_other_columns_or_without_a_value_that_must_be_is_refused() -> None:
    rows = records(2).records
    forged = pa.RecordBatch.from_arrays([pa.array([None, 100], pa.int64()), *rows.columns[1:]], schema=RECORDS)
    for batch, cause in ((rejects(b"x").rejects, "other columns"), (forged, "column line_offset has no value")):
        (frame,) = read(pack_batch(Kind.RECORDS, batch) + END)
        with pytest.raises(BrokenFrames, match=cause):
            unpack_batch(frame.payload, RECORDS)


def test_a_text_that_is_no_utf_8_is_refused() -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(struct.pack("ii", 0, 2)), pa.py_buffer(b"\xff\xfe")]
    )
    line = pa.array([b"x"], pa.binary())
    batch = pa.RecordBatch.from_arrays([pa.array([0], pa.int64()), bad, line], schema=REJECTS)
    (frame,) = read(pack_batch(Kind.REJECTS, batch) + END)
    with pytest.raises(BrokenFrames, match="a batch of rows cannot be read"):
        unpack_batch(frame.payload, REJECTS)


@given(st.data())
def test_a_batch_with_changed_bytes_gives_rows_or_is_refused(data: st.DataObject) -> None:
    (frame,) = read(pack_batch(Kind.RECORDS, records(3, message="a").records) + END)
    changed = bytearray(bytes(frame.payload))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BrokenFrames):
        unpack_batch(bytes(changed), RECORDS).to_pylist()
