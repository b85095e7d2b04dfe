"""A journalctl that is followed: what it gives at its start, how it ends, and what a position has of it."""

import itertools
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from puppylog.errors import SourceError, UsageError
from puppylog.formats.journal.export import ExportDecoder
from puppylog.model.journal_cursor import JournalCursor
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.tail.chunk import Chunk
from puppylog.tail.journal.source import JournalSource
from puppylog.tail.journal.tailer import JournalTailer
from support.embedded import wait_until
from support.journals import Journal, make_cursor, make_entry, needs_journals

SOURCE = JournalSource("/srv/journals")


class Fake:
    """A journalctl that is a shell script, and the tailer that runs it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._scripts = itertools.count()
        self.gaps: list[JournalCursor] = []
        self.now = 0.0
        self.script = home / "journalctl"
        self.arguments = home / "arguments"

    def write(self, entries: bytes, then: str = "exec sleep 60") -> None:
        output = self._home / f"output{next(self._scripts)}"
        output.write_bytes(entries)
        text = f'echo "$@" >> {shlex.quote(str(self.arguments))}\ncat {shlex.quote(str(output))}\n{then}\n'
        self.script.write_text(text, encoding="utf-8")

    def open(
        self, *, context: str | None = None, watch: bool = True, from_end: bool = False, offset: int = 0
    ) -> JournalTailer:
        known = [] if context is None else [position(context, offset)]
        return JournalTailer(
            SOURCE,
            known,
            ExportDecoder,
            watch=watch,
            from_end=from_end,
            on_gap=self.gaps.append,
            command=["sh", str(self.script)],
            clock=lambda: self.now,
        )


def position(context: str, offset: int) -> FilePosition:
    return FilePosition(7, SOURCE.text, 0, 0, EMPTY_FINGERPRINT, offset, False, context)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def opened() -> Iterator[Callable[[JournalTailer], JournalTailer]]:
    tailers: list[JournalTailer] = []

    def open_(tailer: JournalTailer) -> JournalTailer:
        tailers.append(tailer)
        return tailer

    yield open_
    for tailer in tailers:
        tailer.close()


def entries(*numbers: int, seqnum_id: str = "a" * 32, boot: str = "b" * 32) -> bytes:
    return b"".join(
        make_entry(number, boot=boot, cursor=make_cursor(number, seqnum_id=seqnum_id, boot=boot)) for number in numbers
    )


def read_numbers(tailer: JournalTailer, count: int) -> list[Chunk]:
    """Read until ``count`` entries have come, or the tailer has a problem."""
    chunks: list[Chunk] = []

    def have_come() -> bool:
        chunks.extend(tailer.read())
        return len(numbers_of(chunks)) >= count or tailer.problem is not None

    wait_until(have_come, within_s=20, what=f"{count} entries")
    return chunks


def numbers_of(chunks: Sequence[Chunk]) -> list[int]:
    lines = b"".join(chunk.data for chunk in chunks).splitlines()
    return [int(line.rpartition(b'"number ')[2].partition(b'"')[0]) for line in lines]


Opened = Callable[[JournalTailer], JournalTailer]


def test_the_position_behind_a_chunk_has_the_cursor_of_its_last_entry(fake: Fake, opened: Opened) -> None:
    fake.write(entries(0, 1, 2))
    chunks = read_numbers(opened(fake.open()), 3)
    assert numbers_of(chunks) == [0, 1, 2]
    assert chunks[-1].context == f"journal\n{make_cursor(2)}"
    assert (chunks[0].start, chunks[-1].end) == (0, sum(len(chunk.data) for chunk in chunks))
    assert "--cursor" not in fake.arguments.read_text(encoding="utf-8")


def test_reading_goes_on_at_the_stored_entry_which_is_dropped(fake: Fake, opened: Opened) -> None:
    fake.write(entries(2, 3, 4))
    chunks = read_numbers(opened(fake.open(context=f"journal\n{make_cursor(2)}", offset=900)), 2)
    assert numbers_of(chunks) == [3, 4]
    assert chunks[0].start == 900
    assert chunks[0].file.file_id == 7
    assert f"--cursor={make_cursor(2)}" in fake.arguments.read_text(encoding="utf-8")
    assert fake.gaps == []


def test_after_a_cursor_that_has_vanished_only_later_entries_are_read(fake: Fake, opened: Opened) -> None:
    other = "c" * 32
    fake.write(entries(0, 1, seqnum_id=other) + entries(3, 4, seqnum_id=other))
    tailer = opened(fake.open(context=f"journal\n{make_cursor(2)}"))
    assert numbers_of(read_numbers(tailer, 2)) == [3, 4]
    assert [stored.text for stored in fake.gaps] == [make_cursor(2)]


def test_a_vanished_cursor_is_told_even_if_no_later_entry_comes(fake: Fake, opened: Opened) -> None:
    fake.write(entries(0, 1, seqnum_id="c" * 32))
    tailer = opened(fake.open(context=f"journal\n{make_cursor(2)}"))
    wait_until(lambda: list(tailer.read()) == [] and bool(fake.gaps), what="the gap")
    assert [stored.text for stored in fake.gaps] == [make_cursor(2)]


def test_a_journalctl_that_ends_is_started_again_at_the_last_entry(fake: Fake, opened: Opened) -> None:
    fake.write(entries(0, 1) + make_entry(2)[:40], then="kill -9 $$")
    tailer = opened(fake.open())
    chunks = read_numbers(tailer, 3)
    wait_until(lambda: list(tailer.read()) == [] and tailer.problem is not None, what="the end of journalctl")
    assert tailer.problem == "cannot read journal:/srv/journals: journalctl was killed by signal 9"
    fake.write(entries(1, 2, 3))
    assert list(tailer.read()) == []  # the pause is not over
    fake.now = 2.0
    tailer.problem = None
    chunks += read_numbers(tailer, 2)
    assert numbers_of(chunks) == [0, 1, 2, 3]
    assert [after.start - before.end for before, after in itertools.pairwise(chunks)] == [0] * (len(chunks) - 1)
    assert tailer.problem is None


def test_pauses_between_starts_grow_and_a_steady_journalctl_is_no_problem(fake: Fake, opened: Opened) -> None:
    fake.write(b"", then="exit 1")
    tailer = opened(fake.open())

    def count_starts() -> int:
        return len(fake.arguments.read_text(encoding="utf-8").splitlines()) if fake.arguments.exists() else 0

    for start in range(1, 4):
        wait_until(lambda: list(tailer.read()) == [] and tailer._process is None, what="the end of journalctl")
        assert count_starts() == start
        assert list(tailer.read()) == []
        assert count_starts() == start
        fake.now += 2.0 ** (start - 1)
    fake.write(b"")
    assert list(tailer.read()) == []
    assert tailer.problem == "cannot read journal:/srv/journals: journalctl has ended with code 1"
    fake.now += 10.0
    assert list(tailer.read()) == []
    assert tailer.problem is None


def test_output_that_is_no_export_is_a_problem_and_loses_no_entry(fake: Fake, opened: Opened) -> None:
    fake.write(b"=\n\n")
    tailer = opened(fake.open())
    read_numbers(tailer, 1)
    assert tailer.problem is not None
    assert "journalctl has written what is not an entry: byte 2: a field has no name" in tailer.problem
    fake.write(entries(0))
    fake.now, tailer.problem = 2.0, None
    assert numbers_of(read_numbers(tailer, 1)) == [0]


def test_a_run_that_does_not_watch_ends_with_the_journal(fake: Fake, opened: Opened) -> None:
    fake.write(entries(0, 1), then="")
    tailer = opened(fake.open(watch=False))
    chunks: list[Chunk] = []
    while tailer.has_more:
        chunks += tailer.read()
    assert (numbers_of(chunks), tailer.is_ended, tailer.problem) == ([0, 1], True, None)
    assert "--follow" not in fake.arguments.read_text(encoding="utf-8")


def test_what_journalctl_says_is_the_cause(fake: Fake, opened: Opened) -> None:
    fake.write(b"", then="echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1")
    tailer = opened(fake.open(watch=False))
    while tailer.has_more:
        assert list(tailer.read()) == []
    cause = "no journal files were opened due to insufficient permissions"
    assert tailer.problem == f"cannot read journal:/srv/journals: {cause}"


def test_without_journalctl_the_journal_cannot_be_read(fake: Fake) -> None:
    with pytest.raises(SourceError, match="cannot read journal:/srv/journals: journalctl is not installed"):
        JournalTailer(SOURCE, [], ExportDecoder, command=[str(fake.script)])


def test_from_the_end_the_place_of_the_last_entry_is_a_position_before_any_entry_comes(
    fake: Fake, opened: Opened
) -> None:
    fake.write(entries(5), then="")
    tailer = opened(fake.open(from_end=True))
    fake.write(entries(5, 6))
    (first, *_) = tailer.read()
    assert (first.start, first.end, first.data, first.context) == (0, 0, b"", f"journal\n{make_cursor(5)}")


def test_not_more_than_the_limit_is_read_at_once_and_journalctl_waits(fake: Fake, opened: Opened) -> None:
    fake.write(entries(*range(20_000)))
    tailer = opened(fake.open())
    wait_until(lambda: list(tailer.read(1)) != [], what="the first entries")
    assert tailer.has_more
    assert tailer._process is not None
    pid = tailer._process._process.pid
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    assert Path(f"/proc/{child}/comm").read_text(encoding="ascii") == "cat\n"  # it waits until its output is read
    assert numbers_of([*read_numbers(tailer, 15_000)])[-1] <= 19_999


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (JournalSource(), ["journal:: entries of the system and of other users, which this user may not read"]),
        (SOURCE, []),
    ],
)
def test_a_user_who_sees_only_own_entries_is_told(
    fake: Fake, opened: Opened, source: JournalSource, said: list[str]
) -> None:
    fake.write(b"", then="echo 'Hint: You are currently not seeing messages from other users and the system.' >&2")
    hidden: list[str] = []
    command = ["sh", str(fake.script)]
    opened(JournalTailer(source, [], ExportDecoder, watch=True, command=command, on_hidden=hidden.append))
    assert [sentence.partition(";")[0] for sentence in hidden] == said


@pytest.mark.parametrize(
    ("text", "canonical", "arguments"),
    [
        ("journal:/a/", "journal:/a", ["--merge", "--directory=/a"]),
        ("journal:/a?unit=b&unit=a.timer&unit=b", None, None),
        ("journal:/a?match=A=1%26b", "journal:/a?match=A=1%26b", ["--merge", "--directory=/a", "A=1&b"]),
        ("journal:/a%20b", "journal:/a%20b", ["--merge", "--directory=/a b"]),
    ],
)
def test_a_source_is_written_in_one_way(text: str, canonical: str | None, arguments: list[str] | None) -> None:
    source = JournalSource.parse(text)
    assert source.text == (canonical or "journal:/a?unit=a.timer&unit=b.service")
    assert source.arguments == (arguments or ["--merge", "--directory=/a", "--unit=a.timer", "--unit=b.service"])
    assert JournalSource.parse(source.text) == source


@pytest.mark.parametrize(
    "text",
    [
        "journal:relative",
        "journal:?unit=a*",
        "journal:?unit=",
        "journal:?match=a",
        "journal:?match=--a=1",
        "journal:?x=1",
    ],
)
def test_a_source_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        JournalSource.parse(text)


@needs_journals
def test_a_journal_is_followed_over_boots_and_new_files(tmp_path: Path, opened: Opened) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(5, boot="1" * 32)
    journal.write(5, boot="2" * 32)
    tailer = opened(JournalTailer(JournalSource.parse(journal.source), [], ExportDecoder, watch=True))
    chunks = read_numbers(tailer, 10)
    journal.write(5, boot="3" * 32)
    chunks += read_numbers(tailer, 5)
    assert numbers_of(chunks) == list(range(15))


@needs_journals
def test_a_journalctl_ends_when_its_collector_is_killed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(1)
    tailer = JournalTailer(JournalSource.parse(journal.source), [], ExportDecoder, watch=True)
    read_numbers(tailer, 1)
    assert tailer._process is not None
    process = tailer._process._process
    tailer._process._output.close()  # as the system does when the collector is killed
    assert process.wait(timeout=20) is not None
    tailer.close()
