"""Random histories of a directory that two collectors watch at a time, with crashes: each line is stored once.

Names change as in `test_names_at_random`. In addition, files are copied and emptied, and the target of a symbolic link
that is a source changes. A collector polls and commits only when the test says so, so a seed always gives the same
history.

To run more histories: TAILING_EXAMPLES=1000 pytest tests/collect/test_watching_at_random.py
"""

import contextlib
import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from collect.test_names_at_random import act, shift_rotated
from puppylog.collect import collector as collector_module
from puppylog.collect import committer as committer_module
from puppylog.collect import known_files as known_files_module
from puppylog.collect import source_follower as source_follower_module
from puppylog.collect import source_opener as opening_module
from puppylog.collect import tailed_source as tailed_source_module
from puppylog.errors import SourceError, StreamBusy
from puppylog.tail.tailer import Tailer
from support.numbered_logs import Logs

STEPS = 40
LINK = "current.log"
WATCHED = (("",), ("a.log",), ("a.log", "b.log"), ("a*",), ("b*", "z*"), ("*.log",), (LINK,), (LINK, "b.log"))
KINDS = {"change": 8, "watch": 2, "turn": 8, "slow": 2, "stop": 1, "crash": 2, "copytruncate": 1, "copy": 2, "link": 1}


class Crashed(BaseException):
    """Raised in place of a commit when the collector crashes: no row reaches the store any more."""


class Turns(threading.Event):
    """The stop event of a collector. Between two polls, the collector waits here for its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.at_rest = threading.Semaphore(0)
        self.turn = threading.Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the collector waits for its turn, not for a time
        if not self.is_set():
            self.at_rest.release()
            self.turn.acquire()
        return self.is_set()


class Commits:
    """Replaces the thread of the committer: commits at once, later, or never."""

    watcher: "Watcher | None" = None  # the watcher that the next object belongs to

    def __init__(self, **_options: object) -> None:
        self._watcher = Commits.watcher
        if self._watcher is not None:
            self._watcher.commits = self
        self._waiting: list[Commit] = []

    def submit(self, act: Callable[..., None], *arguments: object) -> "Commit":
        commit = Commit(partial(act, *arguments), self._watcher)
        self._waiting.append(commit)
        if self._watcher is None or not self._watcher.is_slow:
            self.catch_up()
        return commit

    def catch_up(self) -> None:
        while self._waiting:
            self._waiting.pop(0).act()

    def shutdown(self) -> None:
        """Do nothing: there is no thread."""


class Commit(Future[None]):
    def __init__(self, commit: Callable[[], None], watcher: "Watcher | None") -> None:
        super().__init__()
        self._commit = commit
        self._watcher = watcher

    def act(self) -> None:
        if self.done():
            return
        if self._watcher is not None and self._watcher.is_dying:
            self.set_exception(Crashed())
            return
        try:
            self.set_result(self._commit())
        except BaseException as error:  # noqa: BLE001 - as an executor does
            self.set_exception(error)

    def result(self, timeout: float | None = None) -> None:
        self.act()
        return super().result(timeout)


class Watcher:
    """A collector that watches, and polls only in its turn."""

    def __init__(self, logs: Logs, sources: tuple[str, ...]) -> None:
        self.is_slow = self.is_dying = False
        self.commits: Commits | None = None
        self.failure: BaseException | None = None
        self._turns = Turns()
        self._collector = logs.collector(sources, watch=True, stop=self._turns)
        self._thread = threading.Thread(target=self._run)
        Commits.watcher = self
        self._thread.start()
        self._turns.at_rest.acquire()
        Commits.watcher = None

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def turn(self, *, is_slow: bool = False) -> None:
        """Let the collector poll once. If it is slow, its commits wait until a turn that is not slow."""
        self.is_slow = is_slow
        if self.commits is not None and not is_slow:
            self.commits.catch_up()
        self._turns.turn.release()
        self._turns.at_rest.acquire()
        if self.failure is not None:
            self._thread.join()

    def stop(self) -> None:
        self.is_slow = False
        self._turns.set()
        self._turns.turn.release()
        self._thread.join()

    def crash(self, polls: int) -> None:
        """Poll some more times without a commit, and end."""
        self.is_dying = True
        for _ in range(polls):
            if self.is_alive:
                self.turn(is_slow=True)
        self.stop()

    def _run(self) -> None:
        try:
            self._collector.run()
        except BaseException as error:  # noqa: BLE001 - `check` raises it in the test's thread
            self.failure = error
        finally:
            self._turns.at_rest.release()

    def check(self) -> None:
        """Assert that the collector ended only because no file was left, or another collector follows its stream."""
        if self.failure is not None and not isinstance(self.failure, SourceError | StreamBusy | Crashed):
            raise self.failure


class SlowCopy:
    """Copies and truncates as copytruncate does, in three steps: half of the copy, the other half, the truncation."""

    def __init__(self, logs: Logs, name: str) -> None:
        shift_rotated(logs, name)
        self.log, self._copy = logs.path(name), logs.path(f"{name}.1")
        self._copy.touch()
        self.inode = self._copy.stat().st_ino
        self._data = self.log.read_bytes()
        self._steps: list[Callable[[], object]] = [self._copy_half, self._copy_all, partial(os.truncate, self.log, 0)]

    def go_on(self) -> bool:
        """Do the next step; return whether there is another one."""
        self._steps.pop(0)()
        return bool(self._steps)

    def _copy_half(self) -> None:
        self._copy.write_bytes(self._data[: len(self._data) // 2])

    def _copy_all(self) -> None:
        self._copy.write_bytes(self._data)


class SharedLogs(Logs):
    """Logs of which another collector may follow a stream. Then a run is refused."""

    def collect(self, *sources: str) -> None:
        with contextlib.suppress(StreamBusy):
            super().collect(*sources)


class History:
    def __init__(self, directory: Path, seed: int) -> None:
        self.logs = SharedLogs(directory)
        self.chance = random.Random(seed)
        self.watchers: list[Watcher] = []
        self.copies: set[int] = set()  # inodes
        self.renamed: set[int] = set()  # inodes
        self.copying: SlowCopy | None = None
        self.steps: list[tuple[object, ...]] = []

    def step(self, number: int) -> None:
        kind = self.chance.choices([*KINDS], [*KINDS.values()])[0]
        if kind == "change":
            did, name = act(self.logs, self.chance, number, self.may_move, self.frozen())
            self.steps.append((did, name))
            self.note_names()
        elif kind == "copytruncate":
            self.copy_and_truncate(self.chance.choice(["a.log", "b.log"]))
        elif kind == "copy":
            self.copy_on(self.chance.choice(["a.log", "b.log"]))
        elif kind == "link":
            self.point(self.chance.choice(["a.log", "b.log", "a.log.1"]))
        elif kind == "watch" and len(self.watchers) < 2:
            sources = self.chance.choice(WATCHED)
            self.steps.append((kind, sources))
            self.watchers.append(Watcher(self.logs, sources))
        elif self.watchers:
            self.move(kind, self.chance.choice(self.watchers))
        for watcher in list(self.watchers):
            if not watcher.is_alive:
                watcher.check()
                self.steps.append(("ended", repr(watcher.failure)))
                self.watchers.remove(watcher)

    def move(self, kind: str, watcher: Watcher) -> None:
        polls = self.chance.choice([0, 1, 2])
        self.steps.append((kind, self.watchers.index(watcher), polls))
        if kind == "stop":
            watcher.stop()
        elif kind == "crash":
            watcher.crash(polls)
        elif kind != "watch":
            watcher.turn(is_slow=kind == "slow")

    def may_move(self, name: str) -> bool:
        """Return whether the file may be renamed: a copy without stored lines is recognized only by its name."""
        return self.logs.path(name).stat().st_ino not in self.copies

    def note_names(self) -> None:
        """Remember which files have or had a name that does not show their log.

        If such a file is copied and emptied several times while no collector runs, and the store has a few lines of it
        under the other name, the copy cannot be distinguished from a file that begins alike.
        """
        self.renamed |= {path.stat().st_ino for path in self.logs.directory.glob("z*")}

    def may_be_copied(self, name: str) -> bool:
        path = self.logs.path(name)
        if not path.exists() or path.stat().st_size == 0:
            return False
        return path.stat().st_ino not in self.renamed | self.frozen()

    def copy_and_truncate(self, name: str) -> None:
        if self.may_be_copied(name):
            self.steps.append(("copytruncate", name))
            copy = SlowCopy(self.logs, name)
            self.copies.add(copy.inode)
            while copy.go_on():
                pass

    def copy_on(self, name: str) -> None:
        """Make a copy in steps. No line is written to the log between them: copytruncate itself would lose it."""
        is_linked = self.logs.path(LINK).is_symlink() and self.logs.path(LINK).readlink() == Path(f"{name}.1")
        if self.copying is None and self.may_be_copied(name) and not is_linked:
            self.steps.append(("begin a copy", name))
            self.copying = SlowCopy(self.logs, name)
            self.copies.add(self.copying.inode)
        elif self.copying is not None:
            self.steps.append(("go on copying", self.copying.log.name))
            if not self.copying.go_on():
                self.copying = None

    def frozen(self) -> set[int]:
        return set() if self.copying is None else {self.copying.inode, self.copying.log.stat().st_ino}

    def point(self, name: str) -> None:
        """Change the target of the link, but not to a copy that is being made: its log may still be unknown."""
        path = self.logs.path(name)
        if path.exists() and path.stat().st_ino in self.frozen():
            return
        self.steps.append(("point", name))
        new = self.logs.path(".new")
        new.symlink_to(name)
        new.rename(self.logs.path(LINK))

    def end(self) -> None:
        while self.copying is not None:
            self.copy_on("")
        for watcher in self.watchers:
            watcher.stop()
            watcher.check()
        assert self.logs.store.claimed == set()
        self.logs.write("a.log", 1)
        self.logs.collect()
        self.logs.collect()
        self.logs.check()


@pytest.fixture(autouse=True)
def _nothing_takes_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "ThreadPoolExecutor", Commits)
    monkeypatch.setattr(collector_module, "_EXPAND_S", 0.0)
    monkeypatch.setattr(source_follower_module, "_SEARCH_S", 0.0)
    monkeypatch.setattr(source_follower_module, "pause_until", lambda _due_at, _notification, stop: stop.wait())
    monkeypatch.setattr(known_files_module, "_ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(tailed_source_module, "SOON_S", 0.0)
    monkeypatch.setattr(tailed_source_module, "IDLE_S", 0.0)


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(int(os.environ.get("TAILING_EXAMPLES", "40"))))
def test_each_line_is_stored_once_by_any_collectors_that_watch(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate_wait_s = 1000.0 if seed % 2 else 0.0
    monkeypatch.setattr(opening_module, "Tailer", partial(Tailer, rotate_wait_s=rotate_wait_s))
    history = History(tmp_path, seed)
    try:
        for number in range(STEPS):
            history.step(number)
        history.end()
    except BaseException as error:
        for watcher in history.watchers:
            watcher.stop()
        raise AssertionError(f"{error!r} after {history.steps}") from error


def test_a_log_that_two_collectors_open_while_it_is_empty_is_read_by_one(tmp_path: Path) -> None:
    """The second collector opens the log by a link before the first one notices that the log is empty."""
    logs = SharedLogs(tmp_path)
    logs.write("a.log", 3)
    first = Watcher(logs, ("a.log",))
    first.turn()
    logs.copy_and_truncate("a.log", "a.log.1")
    logs.path(LINK).symlink_to("a.log")
    second = Watcher(logs, (LINK,))
    second.turn()
    first.turn()
    logs.write("a.log", 2)
    for watcher in (first, second, first, second):
        watcher.turn()
    for watcher in (first, second):
        watcher.stop()
        watcher.check()
    logs.check()
