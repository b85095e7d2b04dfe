"""Which candidate continues which position: tests by table and by property, without a disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.tail.rotation.candidate import Candidate
from puppylog.tail.rotation.evidence import Evidence
from puppylog.tail.rotation.match import Situation, match, match_at_path
from puppylog.tail.rotation.position import LastFile, ReadPosition
from puppylog.tail.rotation.snapshot import sort_candidates
from support.memory_files import NAME, candidate, position


def lines(label: str, count: int = 40) -> bytes:
    return b"".join(f"{label} line {number} of the file\n".encode() for number in range(count))


ONE, TWO, THREE = lines("one", 60), lines("two"), lines("three", 90)
MORE = b"and more\n"


@dataclass
class Case:
    """One row of the table: known positions, candidates, and the expected match."""

    known: Sequence[ReadPosition]
    candidates: Sequence[Candidate]
    at_path: Candidate | None = None
    open_files: Sequence[Candidate] = ()
    last: LastFile | None = None
    rotated: Sequence[str] = ()  # names of the files in which the positions continue, in their order
    continues_at: int | None = None  # the offset at which the file at the path continues
    unseen: Sequence[str] = ()
    missing: int = 0

    def run(self) -> None:
        situation = Situation(self.known, self.at_path, self.open_files, self.last)
        found = match(situation, sort_candidates(self.candidates), Evidence())
        assert [name(at.candidate) for at in found.rotated] == list(self.rotated)
        assert (found.at_path.checkpoint.offset if found.at_path else None) == self.continues_at
        assert [name(unseen) for unseen in found.unseen] == list(self.unseen)
        assert len(found.missing) == self.missing


def name(candidate: Candidate) -> str:
    return PurePath(candidate.path).name


CASES = {
    "the file at the path continues": Case(
        [position(1, ONE)], [], candidate(NAME, 1, ONE + MORE), continues_at=len(ONE)
    ),
    "a renamed file continues under its new name": Case(
        [position(1, ONE)], [candidate("a.log.1", 1, ONE + MORE)], candidate(NAME, 2, TWO), rotated=["a.log.1"]
    ),
    "a file with a foreign name is found by inode and content": Case(
        [position(1, ONE)], [candidate("put-aside", 1, ONE)], candidate(NAME, 2, TWO), rotated=["put-aside"]
    ),
    "an inode that was used again is not the file": Case(
        [position(1, ONE)], [candidate("a.log.1", 1, THREE)], candidate(NAME, 2, TWO), missing=1, unseen=["a.log.1"]
    ),
    "a copy continues where the file was emptied": Case(
        [position(1, ONE)], [candidate("a.log.1", 5, ONE + MORE)], candidate(NAME, 1, TWO), rotated=["a.log.1"]
    ),
    "a compressed file continues": Case(
        [position(1, ONE)], [candidate("a.log.1.gz", 5, ONE + MORE)], candidate(NAME, 2, TWO), rotated=["a.log.1.gz"]
    ),
    "while a file is being compressed, the plain one continues": Case(
        [position(1, ONE)],
        [candidate("a.log.1.gz", 5, ONE[:100]), candidate("a.log.1", 7, ONE)],
        candidate(NAME, 2, TWO),
        rotated=["a.log.1"],
    ),
    "a copy of a finished file is neither new nor a continuation": Case(
        [position(1, ONE, finished=True), position(2, TWO)],
        [candidate("a.log.2.gz", 8, ONE)],
        candidate(NAME, 2, TWO),
        continues_at=len(TWO),
    ),
    "two files that were rotated between two polls are both unseen": Case(
        [position(1, ONE)],
        [candidate("a.log.3", 1, ONE), candidate("a.log.2", 2, TWO, 2), candidate("a.log.1", 3, THREE, 3)],
        candidate(NAME, 4, MORE),
        rotated=["a.log.3"],
        unseen=["a.log.2", "a.log.1"],
    ),
    "files from before the stream began are not unseen": Case(
        [position(2, TWO)],
        [candidate("a.log.2", 1, ONE), candidate("a.log.1", 2, TWO, 2)],
        candidate(NAME, 4, MORE),
        rotated=["a.log.1"],
    ),
    "a copy of the file at the path is not unseen, whole or half": Case(
        [position(1, ONE)],
        [candidate("a.log.2", 9, ONE), candidate("a.log.1", 5, THREE[: len(THREE) // 2], 2)],
        candidate(NAME, 1, THREE, 3),
        rotated=["a.log.2"],
    ),
    "a small copy of the file at the path is not unseen if it was written later": Case(
        [position(1, ONE)],
        [candidate("a.log.2", 9, ONE), candidate("a.log.1", 5, b"few\n", 4)],
        candidate(NAME, 1, b"few\n", 3),
        rotated=["a.log.2"],
    ),
    "a generation that begins like the file at the path is unseen": Case(
        [position(1, ONE)],
        [candidate("a.log.2", 9, ONE), candidate("a.log.1", 5, b"few\n", 2)],
        candidate(NAME, 1, b"few\nand more\n", 3),
        rotated=["a.log.2"],
        unseen=["a.log.1"],
    ),
    "without history, nothing but the file at the path is new": Case(
        [], [candidate("a.log.1", 1, ONE)], candidate(NAME, 2, TWO)
    ),
    "a finished file that was moved back continues at its end": Case(
        [position(1, ONE, finished=True)], [], candidate(NAME, 1, ONE + MORE), continues_at=len(ONE)
    ),
    "a position with only an inode continues in a file with a rotated name only": Case(
        [position(1, b""), position(2, b"")],
        [candidate("a.log.1", 1, ONE), candidate("put-aside", 2, TWO)],
        candidate(NAME, 3, MORE),
        rotated=["a.log.1"],
        missing=1,
    ),
    "a compressed copy of an open file does not continue a position whose inode it was given": Case(
        [position(1, b"")],
        [candidate("a.log.1.gz", 1, TWO)],
        candidate(NAME, 2, MORE),
        open_files=[candidate("a.log.1", 3, TWO)],
        missing=1,
    ),
    "a file that may not be read is not new": Case(
        [position(1, ONE)],
        [candidate("a.log.2", 1, ONE), candidate("a.log.1", 2, TWO, 2, may_be_read=False)],
        candidate(NAME, 4, MORE),
        rotated=["a.log.2"],
    ),
    "a file in olddir continues if its content is long enough": Case(
        [position(1, ONE), position(2, b"short\n")],
        [candidate("a.log.1", 7, ONE, is_nearby=True), candidate("a.log.2", 8, b"short\n", is_nearby=True)],
        candidate(NAME, 4, MORE),
        rotated=["a.log.1"],
        missing=1,
    ),
    "a file is unseen although one in olddir has its number": Case(
        [position(1, ONE)],
        [candidate("a.log.1", 1, ONE, 1, is_nearby=True), candidate("a.log.1", 2, TWO, 2)],
        candidate(NAME, 4, MORE),
        rotated=["a.log.1"],
        unseen=["a.log.1"],
    ),
    "a finished file that has grown is read on": Case(
        [position(1, ONE, finished=True), position(2, TWO)],
        [candidate("a.log.1", 1, ONE + MORE)],
        candidate(NAME, 2, TWO),
        rotated=["a.log.1"],
        continues_at=len(TWO),
    ),
    "a finished file that has grown twice is read on where it ended last": Case(
        [position(1, ONE, finished=True), position(2, TWO), position(1, ONE + MORE, finished=True)],
        [candidate("a.log.1", 1, ONE + MORE)],
        candidate(NAME, 2, TWO),
        continues_at=len(TWO),
    ),
    "while no file stands at the path, nothing is unseen": Case(
        [position(1, ONE)], [candidate("a.log.2", 1, ONE), candidate("a.log.1", 2, TWO, 2)], rotated=["a.log.2"]
    ),
    "another program's log is not unseen": Case(
        [position(1, ONE)],
        [candidate("a.log.1", 1, ONE), candidate("a.2.log", 2, TWO, 2)],
        candidate(NAME, 4, MORE),
        rotated=["a.log.1"],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_positions_and_candidates_are_matched(case: Case) -> None:
    case.run()


def test_the_file_at_the_path_is_matched_without_candidates() -> None:
    situation = Situation([position(1, ONE), position(2, TWO)], candidate(NAME, 2, TWO))
    found = match_at_path(situation, Evidence())
    assert found.is_certain_at_path
    assert [missing.identity[1] for missing in found.missing] == [1]


@dataclass
class Generation:
    """One file that was at the path."""

    data: bytes
    inode: int
    read_bytes: int | None  # how many bytes are stored; None if the file is unseen
    is_moved: bool  # it was copied or compressed, so it has another inode now
    is_compressed: bool


@st.composite
def histories(draw: st.DrawFn) -> list[Generation]:
    """Return generations, the oldest first. The first ones are known to the store, the later ones are unseen."""
    count = draw(st.integers(1, 6))
    known = draw(st.integers(0, count))
    generations = []
    for number in range(count):
        data = lines(f"generation {number}", draw(st.integers(1, 60)))
        ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
        read_bytes = draw(st.sampled_from(ends)) if number < known else None
        is_compressed = draw(st.booleans())
        generations.append(
            Generation(data, 10 + number, read_bytes, is_compressed or draw(st.booleans()), is_compressed)
        )
    return generations


@given(histories(), st.booleans())
def test_every_known_file_is_found_once_and_every_unseen_one_in_its_order(
    history: list[Generation], finished: bool
) -> None:
    """The newest file is at the path, the others are rotated and numbered. Lines are unique."""
    *rotated, current = history
    candidates = [
        candidate(
            f"{NAME}.{len(rotated) - number}{'.gz' if one.is_compressed else ''}",
            one.inode + 100 * one.is_moved,
            one.data,
            mtime_ns=number,
        )
        for number, one in enumerate(rotated)
    ]
    at_path = candidate(NAME, current.inode, current.data)
    known = [
        position(one.inode, one.data[: one.read_bytes], finished=finished and one.read_bytes == len(one.data))
        for one in history
        if one.read_bytes is not None
    ]
    found = match(Situation(known, at_path), sort_candidates(candidates), Evidence())
    by_content = {one.data: number for number, one in enumerate(history)}
    for at in [*found.rotated, *([found.at_path] if found.at_path else [])]:
        with at.candidate.content.opened() as handle:
            assert handle is not None
            generation = history[by_content[handle.read(1 << 20, 0)]]
        assert at.checkpoint.offset == generation.read_bytes
    assert found.missing == []
    going_on, unseen = [], []
    for one, generation in zip(candidates, rotated, strict=True):
        if generation.read_bytes is None:
            unseen.append(name(one))
        elif not finished or generation.read_bytes < len(generation.data):
            going_on.append(name(one))
    assert [name(at.candidate) for at in found.rotated] == going_on
    assert [name(one) for one in found.unseen] == (unseen if known else [])
