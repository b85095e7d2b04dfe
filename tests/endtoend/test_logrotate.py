"""Lines with unique numbers through logrotate: each is stored once, for all methods of rotation and kinds of sources.

logrotate itself loses lines that are written between its copy and its truncation, so none are written then.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.collect import collector as collector_module
from puppylog.stores.base import Store
from support.embedded import EmbeddedStore, wait_until
from support.logrotate_command import COMMAND, Logrotate
from support.recording import collect_once, watching

WAYS = {
    "create": ["create"],
    "copytruncate": ["copytruncate"],
    "dateext": ["create", "dateext"],
    "extension": ["create", "extension"],
    "compress": ["create", "compress"],
    "delaycompress": ["create", "compress", "delaycompress"],
    "olddir": ["create", "olddir"],
    "copytruncate compress": ["copytruncate", "compress"],
    "extension dateext compress": ["create", "extension", "dateext", "compress"],
    "olddir compress": ["create", "olddir", "compress"],
}
SOURCES = {"path": "app.log", "directory": "", "pattern": "app*"}
WAYS_OF_EMPTYING = ("create", "copytruncate")
LINES = 40
every_way = pytest.mark.parametrize("way", WAYS)


def every_pair(*with_directory: str) -> pytest.MarkDecorator:
    """Let a test run with each way and each source.

    `make test` leaves out pairs whose way and source are each tested in another pair: it tests each source with both
    ways of emptying a log, and a directory, in which the rotated files are sources, too, with the ways that are given.
    """
    return pytest.mark.parametrize(
        ("way", "source"),
        [
            pytest.param(way, source, marks=() if is_quick else pytest.mark.thorough)
            for way in WAYS
            for source in SOURCES
            for is_quick in [way in WAYS_OF_EMPTYING or (source == "directory" and way in with_directory)]
        ],
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path_factory.mktemp("logrotate") / "store") as server:
        yield server


@pytest.fixture
def store(server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(collector_module, "_EXPAND_S", 0.1)
    with server.connect() as store:
        yield store


class Application:
    """Writes numbered lines to a log that is rotated."""

    def __init__(self, home: Path, way: str, source: str, *, is_real: bool) -> None:
        self.log = home / "logs" / "app.log"
        self.log.parent.mkdir()
        self.log.touch()
        self.source = str(self.log.parent / SOURCES[source])
        self.written = 0
        self._name = f"{home.name}/"
        self._logrotate = Logrotate(self.log, WAYS[way], is_real=is_real)

    def write(self, count: int = LINES) -> None:
        lines = "".join(f"{self._name} {number}\n" for number in range(self.written, self.written + count))
        with self.log.open("a") as log:
            log.write(lines)
        self.written += count

    def rotate(self) -> None:
        self._logrotate.rotate()

    def stored(self, store: Store) -> list[int]:
        """Return the numbers of the lines that are stored."""
        sql = "SELECT message FROM puppylog.log_records WHERE starts_with(message, $name)"
        found = store.query(sql, {"name": self._name})["message"].to_pylist()
        return sorted(int(message.rpartition(" ")[2]) for message in found)

    def has_all(self, store: Store) -> bool:
        return len(self.stored(store)) >= self.written

    def check(self, store: Store) -> None:
        assert self.stored(store) == list(range(self.written))


@pytest.fixture
def is_real() -> bool:
    """Whether logrotate itself rotates. If it is not installed, the substitute rotates."""
    return COMMAND is not None


# The way that combines most others; a watching collector meets all of them.
@pytest.mark.sampled
@every_pair("extension dateext compress")
def test_a_run_from_cron_reads_each_line_once(
    tmp_path: Path, store: Store, way: str, source: str, is_real: bool
) -> None:
    application = Application(tmp_path, way, source, is_real=is_real)
    application.write()
    collect_once(store, application.source)
    for rotations in (1, 2):
        for _ in range(rotations):
            application.write()
            application.rotate()
        application.write()
        collect_once(store, application.source)
        application.check(store)
    collect_once(store, application.source)
    application.check(store)


@pytest.mark.sampled
@every_pair(*WAYS)
def test_a_watching_collector_reads_each_line_once(
    tmp_path: Path, store: Store, way: str, source: str, is_real: bool
) -> None:
    application = Application(tmp_path, way, source, is_real=is_real)
    application.write()
    with watching(store, application.source):
        for _ in range(2):
            wait_until(lambda: application.has_all(store), what="reading")
            application.write()
            application.rotate()
            application.write()
        wait_until(lambda: application.has_all(store), what="reading")
    application.check(store)
    collect_once(store, application.source)
    application.check(store)


@every_way
def test_the_substitute_rotates_as_logrotate_does(tmp_path: Path, way: str) -> None:
    names = []
    for is_real in (True, False) if COMMAND is not None else (False,):
        home = tmp_path / str(is_real)
        home.mkdir()
        application = Application(home, way, "path", is_real=is_real)
        for _ in range(2):
            application.write(1)
            application.rotate()
        found = [path.relative_to(home) for path in home.rglob("*log*") if path.is_file() and path.parent != home]
        names.append(sorted(re.sub(r"\d{14}", "DATE", str(name)) for name in found))
    assert all(one == names[0] for one in names)
    assert len(names[0]) == 3
