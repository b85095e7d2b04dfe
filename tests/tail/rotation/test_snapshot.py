"""Which files are candidates, in which order, and what happens if they are renamed during the listing."""

import os
from pathlib import Path

import pytest

from puppylog.tail.rotation.candidate import DirectoryChanged
from puppylog.tail.rotation.snapshot import list_candidates


def write(path: Path, mtime_s: int) -> Path:
    path.write_bytes(b"line\n")
    os.utime(path, (mtime_s, mtime_s))
    return path


def names(path: Path, *inodes: int) -> list[str]:
    return [Path(candidate.path).name for candidate in list_candidates([str(path)], inodes)]


def test_rotated_files_are_listed_with_the_oldest_first_and_other_files_are_not(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", 9)
    write(tmp_path / "a.log.3", 1)
    write(tmp_path / "a.log.2", 3)
    write(tmp_path / "a.log.1", 2)
    write(tmp_path / "b.log", 2)
    (tmp_path / "a.log.4").mkdir()
    (tmp_path / "a.log.5").symlink_to(tmp_path / "nowhere")
    assert names(log) == ["a.log.3", "a.log.1", "a.log.2"]


def test_files_with_the_same_time_are_ordered_by_their_names(tmp_path: Path) -> None:
    for suffix in (".1", ".2", ".10", "-20261122", "-20261121"):
        write(tmp_path / f"a.log{suffix}", 5)
    assert names(tmp_path / "a.log") == ["a.log.10", "a.log.2", "a.log.1", "a.log-20261121", "a.log-20261122"]


def test_a_file_of_any_name_is_listed_if_its_inode_is_wanted(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", 1)
    aside = write(tmp_path / "put-aside", 1)
    assert names(log) == []
    assert names(log, aside.stat().st_ino) == ["put-aside"]
    assert names(log, log.stat().st_ino) == []


def test_opening_a_candidate_fails_if_its_path_has_another_file_or_none(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", 1)
    write(tmp_path / "a.log.1", 1)
    (candidate,) = list_candidates([str(log)], ())
    (tmp_path / "a.log.1").rename(tmp_path / "a.log.2")
    with pytest.raises(DirectoryChanged, match="gone"), candidate.content.opened():
        pass
    log.rename(tmp_path / "a.log.1")
    with pytest.raises(DirectoryChanged, match="another file"), candidate.content.opened():
        pass


def test_a_listing_fails_if_a_rotation_happens_during_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write(tmp_path / "a.log", 1)
    write(tmp_path / "a.log.1", 1)
    real_stat = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == "a.log.1" and not (tmp_path / "a.log.2").exists():
            path.rename(tmp_path / "a.log.2")
        return real_stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(DirectoryChanged):
        list_candidates([str(log)], ())
    assert names(log) == ["a.log.2"]
