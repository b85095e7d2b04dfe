import os
from pathlib import Path

import pytest

from puppylog.tail.rotated_names import find_extended_base, list_bases, parse_rotated_name
from puppylog.tail.siblings import Rearranged, list_siblings


@pytest.mark.parametrize(
    "name",
    [
        "access.log.1",
        "access.log.12",
        "access.log.2026-11-23",
        "access.log.2026-11-23T18:00",
        "access.log-20261123",
        "access.log-2026-11-23",
        "access.log_2026_11_23",
        "access.log.old",
        "access.log-20261123-1800",
        "access.log.gz",
        "access.log.1.gz",
        "access.log.2.bz2",
        "access.log.old.xz",
        "access.log-20261123.xz",
        "access.log.20261123.zst",
    ],
)
def test_rotation_gives_such_names(name: str) -> None:
    assert parse_rotated_name("access.log", name) is not None
    assert "/var/log/access.log" in list_bases(f"/var/log/{name}")


@pytest.mark.parametrize(
    "name",
    [
        "access.log",
        "access.log.1.lz4",
        "access.log.gz.1",
        "access.log.gz.gz",
        "access.log.swp",
        "access.log-1",
        "access.log-error",
        "error.log.1",
        "access-2.log",
        "access-error.log",
        "access.log.d",
        "my-access.1.log",
        "my-access.log.1",
    ],
)
def test_others_are_of_another_program_or_cannot_be_read(name: str) -> None:
    assert parse_rotated_name("access.log", name) is None
    assert "/var/log/access.log" not in list_bases(f"/var/log/{name}")


@pytest.mark.parametrize(
    ("name", "number", "date"),
    [
        ("access.1.log", 1, None),
        ("access.12.log.gz", 12, None),
        ("access-20261126.log", None, "20261126"),
        ("access-20261126.log.xz", None, "20261126"),
        ("access_2026-11-26.log", None, "20261126"),
        ("access.2026-11-26.log", None, "20261126"),
        ("access-2026112618.log", None, "2026112618"),
    ],
)
def test_rotation_may_keep_the_extension(name: str, number: int | None, date: str | None) -> None:
    rotated = parse_rotated_name("access.log", name)
    assert rotated is not None
    assert (rotated.number, rotated.date, rotated.is_extended) == (number, date, True)
    assert find_extended_base(f"/var/log/{name}") == "/var/log/access.log"


@pytest.mark.parametrize("name", ["access-2.log", "access.log", "access.log.1", "access.1.gz", "1.log", "20261126.log"])
def test_other_names_have_no_base_with_their_extension(name: str) -> None:
    assert find_extended_base(f"/var/log/{name}") is None


def write(path: Path, mtime_s: int) -> Path:
    path.write_bytes(b"line\n")
    os.utime(path, (mtime_s, mtime_s))
    return path


def names(path: Path, *inodes: int) -> list[str]:
    return [Path(sibling.path).name for sibling in list_siblings([str(path)], inodes)]


def test_rotated_files_are_listed_the_oldest_first_and_strangers_not(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", 9)
    write(tmp_path / "a.log.3", 1)
    write(tmp_path / "a.log.2", 3)
    write(tmp_path / "a.log.1", 2)
    write(tmp_path / "b.log", 2)
    (tmp_path / "a.log.4").mkdir()
    (tmp_path / "a.log.5").symlink_to(tmp_path / "nowhere")
    assert names(log) == ["a.log.3", "a.log.1", "a.log.2"]


def test_of_files_written_at_the_same_instant_the_name_says_which_is_older(tmp_path: Path) -> None:
    for suffix in (".1", ".2", ".10", "-20261122", "-20261121"):
        write(tmp_path / f"a.log{suffix}", 5)
    assert names(tmp_path / "a.log") == ["a.log.10", "a.log.2", "a.log.1", "a.log-20261121", "a.log-20261122"]


def test_a_file_of_any_name_is_listed_if_its_inode_is_asked_for(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", 1)
    aside = write(tmp_path / "put-aside", 1)
    assert names(log) == []
    assert names(log, aside.stat().st_ino) == ["put-aside"]
    assert names(log, log.stat().st_ino) == []


def test_a_sibling_that_was_renamed_meanwhile_is_not_opened_as_another(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", 1)
    write(tmp_path / "a.log.1", 1)
    (sibling,) = list_siblings([str(log)], ())
    (tmp_path / "a.log.1").rename(tmp_path / "a.log.2")
    with pytest.raises(Rearranged, match="gone"):
        sibling.open()
    log.rename(tmp_path / "a.log.1")
    with pytest.raises(Rearranged, match="another file"):
        sibling.open()


def test_a_listing_that_a_rotation_overtakes_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write(tmp_path / "a.log", 1)
    write(tmp_path / "a.log.1", 1)
    real_stat = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == "a.log.1" and not (tmp_path / "a.log.2").exists():
            path.rename(tmp_path / "a.log.2")
        return real_stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(Rearranged):
        list_siblings([str(log)], ())
    assert names(log) == ["a.log.2"]
