import os
from pathlib import Path

import pytest

from puppylog.tail.listed_directories import ListedDirectories
from puppylog.tail.pattern import iter_matches

NOON_S = 1_772_366_400


def list_at(second: float, *directories: Path) -> ListedDirectories:
    listed = ListedDirectories(lambda: int(second * 1e9))
    for directory in directories:
        listed.note(str(directory))
    return listed


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "logs"
    directory.mkdir()
    (directory / "a.log").touch()
    os.utime(directory, (NOON_S, NOON_S))
    return directory


def test_a_directory_stays_unchanged_while_its_files_are_written(directory: Path) -> None:
    listed = list_at(NOON_S + 10, directory)
    (directory / "a.log").write_text("one\n")
    assert not listed.have_changed()
    assert not ListedDirectories().have_changed()


@pytest.mark.parametrize("change", ["create", "delete", "rename", "replace the directory", "delete the directory"])
def test_another_entry_is_a_change(directory: Path, change: str) -> None:
    listed = list_at(NOON_S + 10, directory)
    match change:
        case "create":
            (directory / "b.log").touch()
        case "delete":
            (directory / "a.log").unlink()
        case "rename":
            (directory / "a.log").rename(directory / "b.log")
        case "replace the directory":
            directory.rename(directory.with_name("old"))
            directory.mkdir()
            os.utime(directory, (NOON_S, NOON_S))
        case "delete the directory":
            directory.rename(directory.with_name("old"))
    assert listed.have_changed()


def test_a_directory_that_does_not_exist_has_changed_when_it_exists(tmp_path: Path) -> None:
    listed = list_at(NOON_S, tmp_path / "logs")
    assert not listed.have_changed()
    (tmp_path / "logs").mkdir()
    assert listed.have_changed()


@pytest.mark.parametrize("later_s", [0.0, 2.5, -2.5])
def test_a_directory_that_had_changed_just_before_is_listed_again(directory: Path, later_s: float) -> None:
    assert list_at(NOON_S + later_s, directory).have_changed()


def test_a_pattern_notes_all_directories_that_it_searches(tmp_path: Path) -> None:
    (tmp_path / "shop" / "api").mkdir(parents=True)
    searched = {str(tmp_path), f"{tmp_path}/shop", f"{tmp_path}/shop/api"}
    for pattern in ("*/ap[i]/*.log", "**/*.log", "**/app.log"):
        noted: list[str] = []
        assert list(iter_matches(f"{tmp_path}/{pattern}", noted.append)) == []
        assert searched <= set(noted), pattern
        assert str(tmp_path.parent) not in noted  # other names there do not matter
    missing: list[str] = []
    assert list(iter_matches(f"{tmp_path}/none/yet/*.log", missing.append)) == []
    assert missing[-1] == f"{tmp_path}/none"
