import os
from pathlib import Path

import pytest

from puppylog.tail.pattern import is_pattern, iter_matches


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.log", "b.txt", ".c.log", "x/a.log", "x/y/a.log", "x/.z/a.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def matches(tree: Path, pattern: str) -> list[str]:
    return [os.path.relpath(path, tree) for path in iter_matches(str(tree / pattern))]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.log", ["a.log"]),
        (".*.log", [".c.log"]),
        ("[ab].*", ["a.log", "b.txt"]),
        ("*/a.log", ["x/a.log"]),
        ("x/*/a.log", ["x/y/a.log"]),
        ("**/a.log", ["a.log", "x/a.log", "x/y/a.log"]),
        ("x/**", ["x/a.log", "x/y", "x/y/a.log"]),
        ("**/y/*", ["x/y/a.log"]),
        ("**/**/a.log", ["a.log", "x/a.log", "x/y/a.log"]),
        ("none/*", []),
        ("a.log/*", []),
    ],
)
def test_patterns_match_as_in_a_shell(tree: Path, pattern: str, expected: list[str]) -> None:
    assert matches(tree, pattern) == expected


def test_a_loop_of_links_is_walked_once_and_real_paths_are_preferred(tree: Path) -> None:
    (tree / "0").symlink_to(tree / "x")
    (tree / "x" / "up").symlink_to(tree)
    (tree / "x" / "y" / "self").symlink_to(tree / "x" / "y")
    assert matches(tree, "**/a.log") == ["a.log", "x/a.log", "x/y/a.log"]


def test_files_below_a_link_are_found_if_no_other_path_leads_to_them(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "far.log").touch()
    (tree / "link").symlink_to(elsewhere)
    assert matches(tree, "**/far.log") == ["link/far.log"]


def test_the_name_of_an_existing_file_is_not_a_pattern(tree: Path) -> None:
    (tree / "[ab].log").touch()
    assert not is_pattern(str(tree / "[ab].log"))
    assert is_pattern(str(tree / "[xy].log"))
    assert not is_pattern(str(tree / "none.log"))
