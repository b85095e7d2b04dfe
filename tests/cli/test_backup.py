"""``puppylog backup`` and ``puppylog restore``."""

import errno
from pathlib import Path

import pytest

from puppylog.stores.connect import stop
from support.inprocess import InProcess


def test_a_backup_is_made_and_restored(cli: InProcess, tmp_path: Path) -> None:
    done = cli("backup", str(tmp_path / "backup"))
    assert done.code == 0
    assert done.err.startswith(f"puppylog: backed up 120 records and 1 rejected line to {tmp_path}/backup, ")
    url = f"duckdb://{tmp_path}/restored"
    done = cli("restore", str(tmp_path / "backup"), "--store", url)
    stop(url)
    assert (done.code, done.err) == (0, f"puppylog: restored 120 records to {url}\n")


def test_a_backup_goes_to_another_mount_of_the_same_disk(
    cli: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def refuse_mounts(path: Path, target: Path) -> Path:
        if path.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_mounts)
    assert cli("backup", str(tmp_path / "backup")).code == 0
    monkeypatch.undo()
    counted = cli("sql", "select count(*) as n from log_records", "-o", "csv", "--store", f"duckdb://{tmp_path}/backup")
    stop(f"duckdb://{tmp_path}/backup")
    assert counted.out.split() == ["n", "120"]


def test_the_store_in_use_is_not_written_over(cli: InProcess, tmp_path: Path) -> None:
    cli("backup", str(tmp_path / "backup"))
    done = cli("restore", str(tmp_path / "backup"))
    assert done.code == 2
    assert "it already exists; name another directory, or move this one away" in done.err


def test_postgresql_has_its_own_programs(cli: InProcess, tmp_path: Path) -> None:
    for command, advice in (("backup", "use pg_dump"), ("restore", "use pg_restore")):
        done = cli(command, str(tmp_path / "backup"), "--store", "postgresql://127.0.0.1:1/nowhere")
        assert done.code == 2
        assert advice in done.err
