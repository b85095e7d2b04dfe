"""The position of a live tail as text: what it is long, and that the offsets of all files come back from it."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.monitor.arrivals import FilePosition, Reading
from puppylog.serve.read.tail.position import Sums, UnreadablePosition, read_position, write_position
from puppylog.serve.read.tail.snapshots import SentPositions, Snapshot

STORE = "5a1b"
NOON_US = 1_800_000_000_000_000
LONGEST = 4096  # characters; many proxies refuse a header of 8 KiB


@dataclass
class Files:
    """The files of a store, as they grow."""

    now_us: int = NOON_US
    positions: dict[int, FilePosition] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)

    def move(self, file_id: int, size_bytes: int, *, late_us: int = 0) -> None:
        """Commit lines. With ``late_us``, the transaction began so many microseconds ago."""
        before = self.positions.get(file_id, FilePosition(0, 0)).byte_offset
        self.positions[file_id] = FilePosition(before + size_bytes, self.now_us - late_us)
        self.sums.move(file_id, before, before + size_bytes)

    @property
    def reading(self) -> Reading:
        return Reading(self.now_us, dict(self.positions))

    @property
    def offsets(self) -> dict[int, int]:
        return {file_id: place.byte_offset for file_id, place in self.positions.items() if place.byte_offset}

    def write(self) -> str:
        return write_position(STORE, self.reading, self.sums)


def grown(count: int, *, seed: int = 0, gap: int = 3) -> Files:
    """Return the files of a store that has run for a day."""
    chosen = random.Random(seed)
    files = Files()
    for file_id in range(1, count * gap, gap):
        files.now_us = NOON_US + chosen.randrange(86_400_000_000)
        files.move(file_id, chosen.randrange(1, 1 << 32))
    files.now_us = NOON_US + 86_400_000_000
    return files


def read(text: str, files: Files) -> dict[int, int]:
    found = read_position(text, STORE, files.reading)
    assert not found.unknown
    return {file_id: offset for file_id, offset in found.offsets.items() if offset}


@pytest.mark.parametrize("count", [0, 1, 300, 500, 5_000, 20_000])
def test_a_position_is_short_and_stands_for_the_offsets_of_all_files(count: int) -> None:
    files = grown(count)
    text, then = files.write(), files.offsets
    assert len(text) < LONGEST
    assert read(text, files) == then


def test_files_that_have_moved_since_keep_the_offsets_that_they_had() -> None:
    files = grown(5_000)
    text, then = files.write(), files.offsets
    for file_id in random.Random(1).sample(sorted(files.positions), 180):
        files.now_us += 1000
        files.move(file_id, 500)
    files.move(100_000, 77)  # a new file
    files.now_us += 3_600_000_000
    assert read(text, files) == then


def test_the_files_that_moved_last_may_all_move_again_however_many_others_there_are() -> None:
    files = grown(5_000)
    busy = random.Random(2).sample(sorted(files.positions), 150)
    for _ in range(20):
        text, then = files.write(), files.offsets
        for file_id in busy:
            files.now_us += 100
            files.move(file_id, 500)
        assert read(text, files) == then


def test_a_commit_that_had_begun_before_the_position_was_written_counts_as_later() -> None:
    files = grown(2_000)
    text, then = files.write(), files.offsets
    files.now_us += 1_000_000
    files.move(1, 500, late_us=30_000_000)
    assert read(text, files) == then


def test_if_too_many_files_have_moved_those_are_named_whose_offsets_cannot_be_told() -> None:
    files = grown(5_000)
    text, then = files.write(), files.offsets
    files.now_us += 1_000_000
    moved = sorted(files.positions)[:1000]
    for file_id in moved:
        files.move(file_id, 500)
    found = read_position(text, STORE, files.reading)
    assert len(set(found.unknown) & set(moved)) > 500
    assert len(set(found.unknown) - set(moved)) < 10  # a commit that ran when the position was written may have them
    assert {file_id: then[file_id] for file_id in found.offsets} == found.offsets
    assert found.offsets.keys() | set(found.unknown) == then.keys()


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_any_history_gives_the_offsets_back_or_names_the_files_whose_offsets_it_cannot(data: st.DataObject) -> None:
    files = grown(data.draw(st.sampled_from([0, 3, 400, 600, 1500])), seed=data.draw(st.integers(0, 3)))
    known = sorted(files.positions)
    any_file = st.integers(1, 40) if not known else st.one_of(st.sampled_from(known), st.integers(6000, 6040))
    moves = st.lists(st.tuples(any_file, st.integers(1, 1 << 30)), max_size=30)
    for file_id, size in data.draw(moves):
        files.now_us += 1000
        files.move(file_id, size)
    text, then = files.write(), files.offsets
    for file_id, size in data.draw(moves):
        files.now_us += data.draw(st.integers(0, 90_000_000))
        files.move(file_id, size)
    found = read_position(text, STORE, files.reading)
    assert {file_id: offset for file_id, offset in found.offsets.items() if offset} == {
        file_id: offset for file_id, offset in then.items() if file_id not in found.unknown
    }
    assert not found.unknown  # 30 moves are few


def test_a_server_remembers_the_positions_that_it_has_sent_last() -> None:
    files = grown(1000)
    sent = SentPositions()
    texts = []
    for _ in range(310):
        files.now_us += 1000
        files.move(1, 100)
        texts.append(sent.write(Snapshot(STORE, files.reading, files.sums.copy())))
    newest = sent.find(texts[-1])
    assert newest is not None
    assert newest.offsets == files.offsets
    assert sent.find(texts[0]) is None
    assert sent.find(texts[10]) is not None


@pytest.mark.parametrize("count", [3, 3000])
def test_a_text_that_is_no_position_of_this_store_is_refused(count: int) -> None:
    files = grown(count)
    text = files.write()
    wrong = ["", "x", "é", "AAAA", text[:-1], text[1:], text + "AAAA", "%00", "=" * 50, text.swapcase(), "A" * 4000]
    for one in wrong:
        with pytest.raises(UnreadablePosition, match="not a position in a live tail"):
            read_position(one, STORE, files.reading)
    with pytest.raises(UnreadablePosition, match="another store"):
        read_position(text, "other", files.reading)


def test_files_that_a_restored_store_does_not_have_are_left_out() -> None:
    files = grown(10)
    text = files.write()
    del files.positions[1]
    assert 1 not in read(text, files)
