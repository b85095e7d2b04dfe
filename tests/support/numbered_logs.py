"""A directory of logs with numbered lines: the written lines are compared with the stored ones."""

import gzip
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from puppylog.collect.collector import Collector
from puppylog.collect.events import Event
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from support.embedded import wait_until
from support.remembering_store import RememberingStore
from support.running import running

LINES = find_format("plain", Options(joins_lines=False))
"""Each line is a record, so no line waits for the next one."""

FILLER = "x" * 60


class Logs:
    """A directory of logs with numbered lines, and a store with the lines that collectors have stored."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = RememberingStore()
        self.events: list[Event] = []
        self.written: list[str] = []

    def path(self, name: str) -> Path:
        return self.directory / name

    def write(self, name: str, count: int = 3) -> None:
        lines = [f"line {number} {FILLER}" for number in range(len(self.written), len(self.written) + count)]
        with self.path(name).open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        self.written += lines

    def rename(self, old: str, new: str) -> None:
        self.path(old).rename(self.path(new))

    def copy_and_truncate(self, name: str, copy: str) -> None:
        self.path(copy).write_bytes(self.path(name).read_bytes())
        os.truncate(self.path(name), 0)

    def gzip(self, name: str) -> None:
        self.path(f"{name}.gz").write_bytes(gzip.compress(self.path(name).read_bytes()))
        self.path(name).unlink()

    def collector(self, sources: tuple[str, ...], *, watch: bool = False, stop: threading.Event) -> Collector:
        paths = [str(self.directory / source) if source else str(self.directory) for source in sources]
        options = CollectOptions(sources=[SourceOptions(paths=paths, format=LINES)], watch=watch)
        return Collector(self.store.client(), options, stop=stop, on_event=self.events.append)

    def collect(self, *sources: str) -> None:
        """Run once over the sources; without sources, over the directory."""
        self.collector(sources or ("",), stop=threading.Event()).run()

    @contextmanager
    def watching(self, *sources: str) -> Iterator[None]:
        stop = threading.Event()
        with running(self.collector(sources or ("",), watch=True, stop=stop).run, stop):
            yield

    def check(self) -> None:
        """Assert that every line is stored once."""
        doubled = [line for line, count in Counter(self.store.messages).items() if count > 1]
        missing = set(self.written) - set(self.store.messages)
        assert (sorted(missing), sorted(doubled)) == ([], [])

    def wait(self) -> None:
        wait_until(lambda: set(self.written) <= set(self.store.messages), what="the lines' arrival")
        self.check()
