import subprocess
import sys
from pathlib import Path

from puppylog.stores.duckdb.locks import FileLock


def test_an_exclusive_lock_keeps_all_others_out(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as mine, FileLock(tmp_path / "lock") as other:
        assert mine.acquire()
        assert not other.acquire()
        assert not other.acquire(shared=True)
        mine.release()
        assert other.acquire()


def test_a_shared_lock_is_shared(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as one, FileLock(tmp_path / "lock") as two, FileLock(tmp_path / "lock") as alone:
        assert one.acquire(shared=True)
        assert two.acquire(shared=True)
        assert not alone.acquire()


def test_the_system_releases_a_lock_when_its_process_ends(tmp_path: Path) -> None:
    hold = (
        "import os, sys; from pathlib import Path; from puppylog.stores.duckdb.locks import FileLock;"
        "lock = FileLock(Path(sys.argv[1])); lock.acquire(); print('held', flush=True);"
        "sys.stdin.read()"
    )
    with (
        subprocess.Popen(
            [sys.executable, "-c", hold, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder,
        FileLock(tmp_path / "lock") as lock,
    ):
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not lock.acquire()
        holder.kill()
        holder.wait()
        assert lock.acquire()
