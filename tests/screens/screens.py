"""The screens of the pages: what commands show in terminals of several widths, on one small store.

All that would differ from run to run is a parameter: the clock, the width of the terminal, and the folder, which is the
same on each machine. Commands that show ages, processes or machines are given their values.
"""

import contextlib
import fcntl
import io
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from puppylog.cli.main import run
from puppylog.cli.options import reread_settings
from puppylog.cli.surroundings import Surroundings
from puppylog.settings import Settings
from screens.states import draw_observe, write_alerts, write_doctor, write_status
from screens.tables import write_groups, write_reject_counts, write_rejects
from screens.traffic import NOON, write_logs
from support.embedded import EmbeddedStore, wait_until

WIDTHS: Final = (40, 80, 160)
# The name of a store in the cache directory depends on the path of the file.
FOLDER: Final = Path("/var/tmp/puppylog-screens")  # noqa: S108 - the same on each machine; a lock keeps others out

COMMANDS: Final[Mapping[str, str]] = {
    "file": "access.log -q",
    "logs": "logs -l 8",
    "logs-context": "logs 'severity>=error' -C 1 -l 2",
    "top": "top request_route",
    "hist": "hist --by status_code --step 10m has:request_route",
    "stats": "stats duration_ms",
    "patterns": "patterns source:shop.log",
    "metrics-get": "monitor metrics get requests --since 2h",
    "metrics-get-segments": "monitor metrics get requests_per_route --since 2h",
    "metrics-list": "monitor metrics list",
    "sql": "sql 'select request_route, count(*), avg(response_bytes) from log_records group by all order by 2 desc, 1'",
    "formats": "formats",
}
"""Commands that run on the store, by the name of their screen."""

DRAWN: Final[Mapping[str, tuple[str, Callable[[Settings], None]]]] = {
    "alerts-list": ("monitor alerts list", write_alerts),
    "observe": ("monitor alerts observe", draw_observe),
    "rejects-list": ("rejects list", write_rejects),
    "rejects-count": ("rejects count", write_reject_counts),
    "groups-list": ("groups list", write_groups),
    "collector-status": ("collector status", write_status),
    "doctor": ("doctor", write_doctor),
}
"""Commands whose values are given, by the name of their screen: the command, and the function that shows the values."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a command shows in a terminal."""

    name: str
    command: str  # as typed behind ``puppylog``
    columns: int
    text: str

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.columns}.txt"


def iter_screens() -> Iterator[Screen]:
    """Make the store, and yield each screen in each width."""
    with _exclusive_folder(), _environment():
        write_logs(FOLDER)
        first = [_show("file", columns) for columns in WIDTHS]
        [place] = (FOLDER / "cache" / "puppylog").glob("access.log-*")
        with EmbeddedStore(place) as store:
            os.environ["PUPPYLOG_STORE"] = store.url
            _prepare(store)
            yield from first
            for columns in WIDTHS:
                yield from (_show(name, columns) for name in COMMANDS if name != "file")
                yield from (_draw(name, columns) for name in DRAWN)


def _prepare(store: EmbeddedStore) -> None:
    for command in (
        "collector -q -s shop.log --group shop",
        "monitor metrics create -q -i requests_per_route --period 1m --filter has:request_route --segment "
        + shlex.quote("split_part(request_route, '/', 2)"),
        "monitor metrics create -q -i requests --period 1m --filter has:request_route",
        "monitor metrics create -q -i errors --period 5m --filter 'status_code >= 500'",
    ):
        text = _capture(shlex.split(command), 80)
        assert not text, text
    client = store.connect()
    wait_until(lambda: store.is_settled(client), what="refreshing the metrics")


def _show(name: str, columns: int) -> Screen:
    command = COMMANDS[name]
    arguments = shlex.split(command)
    return Screen(name, command, columns, f"$ puppylog {command}\n{_capture(arguments, columns)}")


def _draw(name: str, columns: int) -> Screen:
    command, show = DRAWN[name]

    def draw() -> None:
        with click.Context(click.Command(name), obj=_surroundings(columns)):
            show(reread_settings())

    return Screen(name, command, columns, f"$ puppylog {command}\n{_record(draw)}")


def _capture(arguments: list[str], columns: int) -> str:
    return _record(lambda: run(arguments, _surroundings(columns)))


def _surroundings(columns: int) -> Surroundings:
    return Surroundings(lambda: NOON, columns)


def _record(show: Callable[[], object]) -> str:
    """Return what ``show`` writes to stdout and stderr, in its order, as a terminal shows it."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        show()
    return written.getvalue().decode()


@contextlib.contextmanager
def _exclusive_folder() -> Iterator[None]:
    """Make FOLDER and work in it. Another process that makes screens waits."""
    before = Path.cwd()
    lock = _lock_folder()
    try:
        for old in FOLDER.iterdir():  # of a process that was killed
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        os.chdir(FOLDER)
        yield
    finally:
        os.chdir(before)
        shutil.rmtree(FOLDER)
        os.close(lock)


def _lock_folder() -> int:
    """Make FOLDER, wait until no other process has locked it, and return the descriptor of the lock."""
    while True:
        FOLDER.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process has just deleted it
            lock = os.open(FOLDER, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if FOLDER.exists() and FOLDER.stat().st_ino == os.fstat(lock).st_ino:
                return lock
            os.close(lock)


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Set the variables that commands read, and restore all variables afterwards."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("PUPPYLOG_", "XDG_", "PG")):
            del os.environ[name]
    os.environ |= {"HOME": str(FOLDER), "XDG_CACHE_HOME": str(FOLDER / "cache"), "NO_COLOR": "1", "TZ": "UTC"}
    time.tzset()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        time.tzset()
