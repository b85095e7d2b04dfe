"""A store that does not answer, is cut off or is full during a collection: every line is stored once."""

import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import psycopg
import pytest

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.commands import Puppylog
from support.cut_wire import CutWire
from support.embedded import wait_until
from support.postgres import PostgresServer
from support.refusals import assert_refused

pytestmark = pytest.mark.sampled

PuppylogAt: TypeAlias = Callable[[str], Puppylog]

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number}/{padding} HTTP/1.1" 200 {number} "-" "-"\n'
LINES = 20_000
PADDING = "p" * 900
COUNTS = "SELECT count(*), count(DISTINCT (file_id, line_offset)) FROM puppylog.log_records"
ALL = [(LINES, LINES)]
NONE = [(0, 0)]
A_FILE_BYTES = 17 << 20  # a segment of the write-ahead log is smaller, the records are more


def ask(url: str, sql: str = COUNTS) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text("".join(LINE.format(number=n, padding=PADDING) for n in range(LINES)))
    return path


@dataclass(frozen=True, slots=True)
class Place:
    """An empty store, and a wire to it, which the test can cut."""

    url: str
    far_url: str  # through the wire
    wire: CutWire

    @property
    def counts(self) -> list[tuple[object, ...]]:
        return ask(self.url)


@pytest.fixture
def place(shared_postgres: PostgresServer, postgres_template: str) -> Iterator[Place]:
    with (
        CutWire(shared_postgres.socket) as wire,
        shared_postgres.database(template=postgres_template) as name,
    ):
        yield Place(shared_postgres.url(name), shared_postgres.url(name, port=wire.port), wire)


@contextmanager
def running(puppylog: Puppylog, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    with puppylog.start(*arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: "subprocess.Popen[bytes]") -> str:
    assert process.stderr is not None
    return process.stderr.readline().decode()


def stop(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(60)


@pytest.mark.parametrize(
    ("watch", "left"),
    [
        pytest.param(("--watch",), 3_000_000, id="watching, early"),
        pytest.param(("--watch",), 9_000_000, id="watching, late", marks=pytest.mark.thorough),
        pytest.param((), 3_000_000, id="to the end, early", marks=pytest.mark.thorough),
        pytest.param((), 9_000_000, id="to the end, late"),
    ],
)
def test_a_batch_is_stored_after_a_cut_in_the_middle_of_its_copy(
    place: Place, puppylog_at: PuppylogAt, log: Path, watch: tuple[str, ...], left: int
) -> None:
    place.wire.cut_after(left)
    with running(puppylog_at(place.far_url), "collector", "-q", "-s", str(log), *watch) as collector:
        line = next_line(collector)
        assert line.startswith("puppylog: cannot write to store postgresql://127.0.0.1:")
        assert line.endswith("; nothing is lost, retrying in 0.1 s\n")
        if watch:
            wait_until(lambda: place.counts == ALL, within_s=60, what="catching up")
        assert (stop(collector) if watch else collector.wait(60)) == 0
    assert place.wire.cuts == 1
    assert place.counts == ALL


def test_a_collector_that_is_stopped_while_it_is_cut_off_says_so_and_the_next_one_completes(
    place: Place, puppylog_at: PuppylogAt, log: Path
) -> None:
    place.wire.cut_after(9_000_000, and_stay_down=True)
    with running(puppylog_at(place.far_url), "collector", "-q", "-s", str(log)) as collector:
        assert "nothing is lost, retrying" in next_line(collector)
        before = place.counts
        assert stop(collector) == 69
        assert collector.stderr is not None
        assert b"Traceback" not in collector.stderr.read()
    assert place.counts == before
    ran = puppylog_at(place.url)("collector", "-s", str(log))
    assert ran.code == 0, ran
    assert place.counts == ALL


def test_only_a_watching_collector_waits_for_a_store_that_does_not_answer_at_the_start(
    place: Place, puppylog_at: PuppylogAt, log: Path
) -> None:
    place.wire.cut(and_stay_down=True)
    puppylog = puppylog_at(place.far_url)
    assert_refused(puppylog("collector", "-s", str(log)), 69, "cannot connect to postgresql://127.0.0.1:")
    with running(puppylog, "collector", "-q", "-s", str(log), "--watch") as collector:
        assert "nothing is lost, retrying" in next_line(collector)
        place.wire.restore()
        wait_until(lambda: place.counts == ALL, within_s=60, what="catching up")
        assert stop(collector) == 0


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server of its own, so that its limits affect no other test."""
    with PostgresServer() as server:
        yield server


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Limit the size of files, in bytes, for processes that are started in the ``with`` block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_collector_waits_while_a_file_of_the_server_cannot_grow(
    own_server: PostgresServer, puppylog_at: PuppylogAt, log: Path
) -> None:
    url = own_server.url(own_server.create_database())
    bootstrap(url)
    own_server.stop()
    with small_files(A_FILE_BYTES):
        own_server.start()
    with running(puppylog_at(url), "collector", "-q", "-s", str(log), "--watch") as collector:
        line = next_line(collector)
        assert line.startswith("puppylog: cannot write to store ")
        assert "could not extend file" in line
        assert "nothing is lost" in line
        own_server.restart()
        wait_until(lambda: ask(url) == ALL, within_s=60, what="catching up")
        assert stop(collector) == 0
    assert ask(url, "SELECT count(*) FROM puppylog.rejected_lines") == [(0,)]


@contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """Yield a small disk, if the test may mount one."""
    with tempfile.TemporaryDirectory(prefix="puppylog-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        mounted = subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip(f"NOT TESTED: a disk that is full; {mounted.stderr.decode().strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["/bin/umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: a disk that is full; only root may mount a small one")
def test_a_collector_waits_while_the_disk_of_the_server_is_full(puppylog_at: PuppylogAt, log: Path) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(20 << 20))
        server = stack.enter_context(PostgresServer())
        place = disk / "place"
        place.mkdir()
        server._binaries.give(place)
        ballast = disk / "ballast"
        database = server.create_database()
        url = server.url(database)
        with server.connect() as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        bootstrap(url)
        with server.connect(database) as admin:
            admin.execute(f"ALTER DATABASE {database} SET default_tablespace = small")
        ballast.write_bytes(bytes(16 << 20))
        with running(puppylog_at(url), "collector", "-q", "-s", str(log), "--watch") as collector:
            line = next_line(collector)
            assert line.startswith("puppylog: cannot write to store ")
            assert "No space left on device" in line
            ballast.unlink()
            subprocess.run(["/bin/mount", "-o", "remount,size=200m", str(disk)], check=True)
            wait_until(lambda: ask(url) == ALL, within_s=60, what="catching up")
            assert stop(collector) == 0
