"""More files than may be open at once: each line is read once, of idle and of growing files."""

import os
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from puppylog.collect import source_follower as follower_module
from puppylog.collect import stream_reporter
from puppylog.collect.events import OpenFileLimitReached
from puppylog.collect.slots import Slots
from support.embedded import wait_until
from support.recording import RecordingStore, collect_once, watching

FILES = 30
OPEN = 4


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(follower_module, "Slots", partial(Slots, OPEN))
    monkeypatch.setattr(stream_reporter, "REPORT_S", 0.05)
    directory = tmp_path / "logs"
    directory.mkdir()
    paths = [directory / f"app{number}.log" for number in range(FILES)]
    for path in paths:
        path.write_text(f"{path.stem} 0\n")
    return paths


def append(path: Path, number: int) -> None:
    with path.open("a") as file:
        file.write(f"{path.stem} {number}\n")


def expected(logs: list[Path], count: int) -> Counter[str]:
    return Counter(f"{path.stem} {number}" for path in logs for number in range(count))


def count_open(logs: list[Path]) -> int:
    directory = logs[0].parent
    links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - counted while open
    return sum(os.path.realpath(link).startswith(f"{directory}/") for link in links)


def test_a_run_reads_all_files_a_few_at_a_time(logs: list[Path]) -> None:
    store = RecordingStore()
    unread, events = collect_once(store, str(logs[0].parent))
    assert store.lines == expected(logs, 1)
    assert unread == 0
    assert not any(isinstance(event, OpenFileLimitReached) for event in events), "each file is opened in its turn"


def test_a_run_reads_large_files_in_turns(logs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.collect.tailed_source._TURN_BYTES", 16)
    for path in logs:
        path.write_text("".join(f"{path.stem} {number}\n" for number in range(20)))
    store = RecordingStore()
    assert collect_once(store, str(logs[0].parent))[0] == 0
    assert store.lines == expected(logs, 20)


def test_idle_watched_files_are_closed_and_opened_when_they_change(logs: list[Path]) -> None:
    store = RecordingStore()
    with watching(store, str(logs[0].parent)) as events:
        wait_until(lambda: store.lines == expected(logs, 1), what="the first lines")
        assert count_open(logs) <= OPEN
        for number in (1, 2):
            for path in logs:
                append(path, number)
            wait_until(lambda: store.lines == expected(logs, number + 1), what="more lines")  # noqa: B023 - called here
        for path in logs[:1]:
            append(path, 3)
            path.rename(path.with_name(f"{path.name}.1"))
        for path in logs[1:3]:
            append(path, 3)
            path.with_name(f"{path.name}.1").write_bytes(path.read_bytes())
            os.truncate(path, 0)
        for path in logs[3:]:
            append(path, 3)
        for path in logs:
            append(path, 4)
        wait_until(lambda: store.lines == expected(logs, 5), what="lines before and behind a rotation")
        wait_until(lambda: not any(store.problems.values()), what="the end of all problems")
    assert [event.max_open for event in events if isinstance(event, OpenFileLimitReached)] == [OPEN]


def test_an_unfinished_line_of_a_closed_file_is_read_when_it_ends(logs: list[Path]) -> None:
    store = RecordingStore()
    for path in logs:
        with path.open("a") as file:
            file.write(path.stem)
    with watching(store, str(logs[0].parent)):
        wait_until(lambda: store.lines == expected(logs, 1), what="the first lines")
        for path in logs:
            with path.open("a") as file:
                file.write(" 1\n")
        wait_until(lambda: store.lines == expected(logs, 2), what="the ends of the lines")
