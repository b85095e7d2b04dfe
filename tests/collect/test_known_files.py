"""A file that the store knows belongs to the stream that has read it, whatever name it has now."""

import os
from collections import Counter
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from puppylog.collect import source_follower as source_follower_module
from puppylog.collect import source_opener as opening_module
from puppylog.collect.events import SourceSkipped
from puppylog.collect.known_files import KnownFiles
from puppylog.tail.chunk import TailedFile
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import Handle
from puppylog.tail.owners import Elsewhere, OpenedFile
from puppylog.tail.rotation.position import position_identity
from puppylog.tail.source import expand_by_pattern
from puppylog.tail.tailer import Tailer
from support.embedded import wait_until
from support.memory_files import MemoryFile
from support.numbered_logs import FILLER, Logs


@pytest.mark.parametrize("size", [1, 3, 40])
@pytest.mark.parametrize("sources", [("",), ("app*",), ("app.log*",), ("app.log.1", "app.log")])
def test_a_rotated_log_is_not_stored_again(logs: Logs, sources: tuple[str, ...], size: int) -> None:
    logs.write("app.log", size)
    logs.collect(*(sources if len(sources) == 1 else ("app.log",)))
    logs.rename("app.log", "app.log.1")
    logs.write("app.log", 2)
    logs.collect(*sources)
    logs.check()


@pytest.mark.parametrize("size", [1, 3, 40])
def test_a_rotated_log_that_is_compressed_later_is_not_stored_again(logs: Logs, size: int) -> None:
    logs.write("app.log", size)
    logs.collect()
    logs.rename("app.log", "app.log.1")
    logs.write("app.log", 2)
    logs.collect()
    logs.gzip("app.log.1")
    logs.collect()
    logs.rename("app.log.1.gz", "app.log.2.gz")
    logs.rename("app.log", "app.log.1")
    logs.write("app.log", 2)
    logs.collect()
    logs.check()


@pytest.mark.sampled
@pytest.mark.parametrize("kind", ["create", "compress", "delaycompress", "copytruncate", "dateext", "extension"])
@pytest.mark.parametrize("size", [2, 50])
@pytest.mark.parametrize("sources", [("",), ("app*",)])
def test_cron_runs_over_five_rounds_of_rotation_store_each_line_once(
    logs: Logs, kind: str, size: int, sources: tuple[str, ...]
) -> None:
    logs.write("app.log", size)
    for number in range(5):
        logs.collect(*sources)
        logs.write("app.log", size)
        rotate(logs, kind, number)
        logs.write("app.log", size)
    logs.collect(*sources)
    logs.collect(*sources)
    logs.check()


def rotate(logs: Logs, kind: str, number: int) -> None:
    """Rotate as logrotate does."""
    newest = "app.log.1"
    if kind == "dateext":
        newest = f"app.log-2026112{number}"
    elif kind == "extension":
        newest = "app.1.log"
        for age in range(number, 0, -1):
            logs.rename(f"app.{age}.log", f"app.{age + 1}.log")
    else:
        for age in range(number, 0, -1):
            for ending in ("", ".gz"):
                if logs.path(f"app.log.{age}{ending}").exists():
                    logs.rename(f"app.log.{age}{ending}", f"app.log.{age + 1}{ending}")
    if kind == "copytruncate":
        logs.path(newest).write_bytes(logs.path("app.log").read_bytes())
        os.truncate(logs.path("app.log"), 0)
        return
    logs.rename("app.log", newest)
    if kind == "compress":
        logs.gzip(newest)
    if kind == "delaycompress" and logs.path("app.log.2").exists():
        logs.gzip("app.log.2")


@pytest.mark.parametrize("name", ["zzz.log", "aaa.log", "app.log.1", "app-20261126.log", "app.1.log", "sub/app.log"])
@pytest.mark.parametrize("has_successor", [True, False])
def test_a_renamed_log_is_read_on_for_the_stream_that_has_read_it(logs: Logs, name: str, has_successor: bool) -> None:
    logs.path("sub").mkdir()
    logs.write("app.log")
    logs.collect("app.log")
    logs.write("app.log", 2)
    logs.rename("app.log", name)
    if has_successor:
        logs.write("app.log")
    logs.collect(name)
    logs.write(name, 2)
    logs.collect(name)
    logs.collect(*(["app.log"] if has_successor else []), name)
    logs.check()
    assert [file.byte_offset for file in logs.store.files_of(name) if name != "sub/app.log"] == []


def test_a_log_that_was_finished_and_has_grown_is_read_from_where_it_ended(logs: Logs) -> None:
    logs.write("app.log")
    logs.collect("app.log")
    logs.rename("app.log", "zzz.log")
    old = logs.path("zzz.log").stat().st_mtime - 100
    os.utime(logs.path("zzz.log"), (old, old))
    logs.write("app.log")
    logs.collect("app.log")
    logs.write("zzz.log")
    logs.collect()
    logs.collect()
    logs.check()


def test_a_link_and_its_target_are_one_file_in_two_runs(logs: Logs) -> None:
    logs.write("real.log")
    logs.path("link.log").symlink_to("real.log")
    logs.collect("link.log")
    logs.write("real.log")
    logs.collect("real.log")
    logs.write("real.log")
    logs.collect("link.log")
    logs.check()


def test_a_log_is_stored_once_if_one_of_its_two_hard_links_is_deleted(logs: Logs) -> None:
    logs.write("a.log")
    logs.path("b.log").hardlink_to(logs.path("a.log"))
    logs.collect()
    logs.path("a.log").unlink()
    logs.write("b.log")
    logs.collect()
    logs.check()


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_empty_log_that_was_written_and_rotated_is_stored_once(logs: Logs, comes_back: bool) -> None:
    logs.path("app.log").touch()
    logs.collect()
    logs.write("app.log", 30)
    logs.rename("app.log", "app.log.1")
    logs.collect()
    if comes_back:
        logs.rename("app.log.1", "app.log")
    logs.write("app.log")
    logs.collect()
    logs.check()


def test_a_copy_that_a_link_leads_to_is_not_stored_again(logs: Logs) -> None:
    logs.write("app.log")
    logs.collect("app.log")
    logs.path("app.log.1").write_bytes(logs.path("app.log").read_bytes())
    os.truncate(logs.path("app.log"), 0)
    logs.path("current.log").symlink_to("app.log.1")
    logs.collect("current.log")
    logs.check()


@pytest.mark.parametrize("size", [3, 30])
def test_nothing_is_stored_again_when_a_link_is_changed_to_the_copy_of_its_log(
    logs: Logs, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(opening_module, "Tailer", partial(Tailer, rotate_wait_s=0.0))

    def point(name: str) -> None:
        logs.path("current.log").unlink(missing_ok=True)
        logs.path("current.log").symlink_to(name)
        logs.collect("current.log")

    logs.write("app.log", size)
    logs.write("other.log", 2)
    point("app.log")
    point("other.log")
    logs.copy_and_truncate("app.log", "app.log.1")
    point("app.log.1")
    point("app.log.1")
    logs.check()


@pytest.mark.parametrize("size", [3, 30])
def test_the_copy_of_a_log_that_was_read_under_another_name_is_not_stored_again(logs: Logs, size: int) -> None:
    logs.write("app.log", size)
    logs.path("service.log").hardlink_to(logs.path("app.log"))
    logs.collect("service.log")
    logs.write("app.log", 2)
    logs.copy_and_truncate("app.log", "app.log.1")
    logs.collect()
    logs.collect()
    logs.check()


def test_lines_that_are_written_to_a_finished_file_under_a_new_name_are_stored(logs: Logs) -> None:
    with logs.watching():
        logs.write("app.log.1")
        logs.wait()
        logs.rename("app.log.1", "service.log")
        logs.write("app.log.1", 2)
        logs.wait()
        wait_until(lambda: any(file.finished for file in logs.store.files_of("app.log.1")), what="the end of the file")
    logs.write("service.log")
    logs.collect()
    logs.check()


def test_an_empty_directory_is_watched_until_it_has_a_file(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[object] = []

    def expand(*sources: Any, **options: Any) -> dict[str, str]:
        searches.append(sources)
        return expand_by_pattern(*sources, **options)

    monkeypatch.setattr(source_follower_module, "expand_by_pattern", expand)
    with logs.watching():
        wait_until(lambda: len(searches) > 1, what="the second search")
        logs.write("app.log")
        logs.wait()


def test_a_copy_stays_known_when_another_source_has_asked_for_it(logs: Logs) -> None:
    logs.write("app.log", 30)
    logs.collect("app.log")
    logs.copy_and_truncate("app.log", "app.log.1")
    logs.collect("app.log")
    with logs.watching():
        logs.write("app.log", 1)
        logs.wait()
        logs.rename("app.log.1", "app.log.2")
        logs.rename("app.log", "app.log.1")
        logs.write("app.log", 1)
        logs.wait()
    logs.check()


def test_a_new_file_with_the_inode_of_a_known_one_does_not_hide_the_known_one(logs: Logs) -> None:
    """While a tailer has the new file open, the known file's stream still searches for the known file."""
    logs.write("app.log", 30)
    logs.collect("app.log")
    (known,) = logs.store.files_of("app.log")
    (stream,) = logs.store.client().open_streams(["file://h/other.log"])
    files = KnownFiles(lambda _identities, _heads: [], lambda _uri: stream, lambda _id: None, lambda _cause: None)
    files.follow([stream])
    new = TailedFile(1, "other.log", known.device, known.inode, 0, None)
    identity = position_identity(known)
    files.owners_for(stream.stream_id).set_open_files([OpenedFile(new, MemoryFile(new.path, identity, b""))])
    assert not files.is_read(known)
    files.register(stream.stream_id, new, 77)
    assert files.is_read(replace(known, file_id=77))
    files.owners_for(stream.stream_id).set_open_files([])
    assert not files.is_read(replace(known, file_id=77))


def test_a_compressed_log_whose_lines_are_not_stored_yet_is_not_read_again(logs: Logs) -> None:
    """The log is gone, but a tailer has it open still, and has handed its lines over."""
    (stream,) = logs.store.client().open_streams(["file://h/app.log"])
    files = KnownFiles(lambda _identities, _heads: [], lambda _uri: stream, lambda _id: None, lambda _cause: None)
    files.follow([stream])
    owners = files.owners_for(stream.stream_id)
    logs.write("app.log", 3)
    with closing(Handle(str(logs.path("app.log")))) as log:
        owners.set_open_files([OpenedFile(TailedFile(1, log.path, *log.identity, 0, None), log)])
        logs.rename("app.log", "app.log.1")
        logs.gzip("app.log.1")
        with closing(open_log(str(logs.path("app.log.1.gz")))) as copy:
            assert isinstance(owners.find_owner(copy.path, copy), Elsewhere)


@pytest.mark.parametrize("text", ["started\n", f"#Format: date time\n{FILLER}\n" * 20])
def test_files_that_only_begin_alike_are_all_stored(logs: Logs, text: str) -> None:
    names = ["a.log", "b.log", "c.log.1", "d.log-20261126"]
    for name in names[::2]:
        logs.path(name).write_text(text)
    logs.collect()
    for name in names[1::2]:
        logs.path(name).write_text(text)
    for name in names:
        logs.write(name)
    logs.collect()
    counts = Counter(logs.store.messages)
    assert all(counts[line] == 1 for line in logs.written)
    assert all(counts[line] == len(names) * text.count(line) for line in set(text.splitlines()))


@pytest.mark.parametrize(
    "renamed", ["zzz.log", "app.log.1", "app.1.log", "app-20261126.log", "app.log-20261126", "app.log.old"]
)
@pytest.mark.parametrize("has_successor", [True, False])
def test_while_watching_a_renamed_log_is_stored_once(logs: Logs, renamed: str, has_successor: bool) -> None:
    logs.write("app.log")
    with logs.watching():
        logs.wait()
        logs.rename("app.log", renamed)
        if has_successor:
            logs.write("app.log")
        logs.write(renamed)
        logs.wait()
        if renamed in {"zzz.log", "app.1.log", "app-20261126.log"}:
            if has_successor:
                wait_until(lambda: logs.store.files_of("app.log")[0].finished)
            logs.write(renamed)
            logs.wait()
    logs.check()


def test_while_watching_one_of_two_hard_links_may_be_deleted(logs: Logs) -> None:
    logs.write("a.log")
    logs.path("b.log").hardlink_to(logs.path("a.log"))
    with logs.watching():
        logs.wait()
        logs.path("a.log").unlink()
        logs.write("b.log")
        logs.wait()


def test_a_file_of_a_stream_that_another_collector_follows_is_skipped(logs: Logs) -> None:
    logs.write("app.log")
    with logs.watching("app.log"):
        logs.wait()
        logs.path("zzz.log").hardlink_to(logs.path("app.log"))
        logs.collect("zzz.log")
        (cause,) = (event.cause for event in logs.events if isinstance(event, SourceSkipped))
        assert "zzz.log is left out" in cause
        assert "app.log; cannot collect" in cause
        logs.write("zzz.log")
        logs.wait()
    logs.write("zzz.log")
    logs.collect("zzz.log")
    logs.check()


def test_the_store_is_not_asked_about_idle_files_that_another_stream_has_read(logs: Logs) -> None:
    for number in range(20):
        logs.write(f"{number}.log")
    logs.collect()
    for number in range(20):
        logs.rename(f"{number}.log", f"moved-{number}.txt")
        os.utime(logs.path(f"moved-{number}.txt"), (1_000_000_000, 1_000_000_000))
        logs.write(f"{number}.log")
    logs.collect("*.log")
    with logs.watching("*.txt", "new.log"):
        logs.write("new.log")
        logs.wait()
        asked = logs.store.questions
        logs.write("new.log")
        logs.wait()
        assert logs.store.questions == asked
