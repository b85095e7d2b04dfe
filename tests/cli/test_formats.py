"""``puppylog formats``: listing, checking and showing format files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.formats.file.folder import find_versions
from puppylog.formats.file.search_path import set_own_folder
from support.inprocess import InProcess

OWN = r"""
name = "own"
title = "My own"
pattern = '^(?P<time>\S+) (?P<message>.*)$'
[[samples]]
line = "2026-11-24T10:00:00Z hi"
record = {ts = "2026-11-24T10:00:00Z", message = "hi"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "puppylog" / "formats"
    folder.mkdir(parents=True)
    yield folder
    set_own_folder(None)


def test_a_file_of_the_user_is_listed_with_its_path_and_collected_by_its_name(cli: InProcess, folder: Path) -> None:
    (folder / "own.toml").write_text(OWN)
    log = folder / "x.log"
    log.write_text("2026-11-24T10:00:00Z hello\n")
    rows = {row["format"]: row for row in map(json.loads, cli("formats", "-o", "jsonl").out.splitlines())}
    assert rows["own"] == {
        "format": "own",
        "what it reads": "My own",
        "a line": "2026-11-24T10:00:00Z hi",
        "origin": str(folder / "own.toml"),
    }
    assert rows["redis"]["origin"] == "puppylog"
    detected = cli("collector", "detect", str(log), "-f", "own", "-o", "json")
    assert detected.code == 0
    assert json.loads(detected.out)[0]["format"] == "own"


def test_a_file_of_the_user_replaces_a_format_of_its_name_and_this_is_said(cli: InProcess, folder: Path) -> None:
    (folder / "json.toml").write_text(OWN.replace('"own"', '"json"'))
    log = folder / "x.log"
    log.write_text("2026-11-24T10:00:00Z hello\n")
    ran = cli("collector", "detect", str(log), "-f", "json")
    assert f"the format json is that of {folder / 'json.toml'}, not that of Puppylog" in ran.err
    assert ran.code == 0
    rows = [row for row in map(json.loads, cli("formats", "-o", "jsonl").out.splitlines()) if row["format"] == "json"]
    assert [row["origin"] for row in rows] == [str(folder / "json.toml")]


def test_auto_tries_a_file_of_the_user_and_leaves_out_one_with_a_fault(cli: InProcess, folder: Path) -> None:
    (folder / "own.toml").write_text(OWN.replace(r"\S+) (?P", r"\S+) own (?P"))
    (folder / "odd.toml").write_text("name = ")
    log = folder / "x.log"
    log.write_text("2026-11-24T10:00:00Z own hello\n" * 6)
    ran = cli("collector", "detect", str(log), "-o", "json")
    assert json.loads(ran.out)[0]["format"] == "own"


def test_a_path_names_a_file(cli: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    log = tmp_path / "x.log"
    log.write_text("2026-11-24T10:00:00Z hello\n")
    assert json.loads(cli("collector", "detect", str(log), "-f", f"@{path}", "-o", "json").out)[0]["format"] == "own"
    ran = cli("collector", "detect", str(log), "-f", "@nothing.toml")
    assert (ran.code, ran.err) == (2, "puppylog: cannot read format file nothing.toml: no such file or directory\n")


def test_a_difference_is_shown_as_rows_too(cli: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace('message = "hi"', 'message = "ho", severity = "info"'))
    ran = cli("formats", "check", str(path), "-o", "jsonl")
    assert ran.code == 1
    line = "2026-11-24T10:00:00Z hi"
    assert [json.loads(row) for row in ran.out.splitlines()] == [
        {"sample": "1", "line": line, "key": "message", "expected": '"ho"', "got": '"hi"'},
        {"sample": "1", "line": line, "key": "severity", "expected": '"info"', "got": ""},
    ]


def test_a_file_with_a_fault_is_refused_with_the_code_of_configuration(cli: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace("pattern", "patern"))
    ran = cli("formats", "check", str(path))
    assert (ran.code, ran.out) == (78, "")
    assert ran.err == f"puppylog: cannot use format file {path}, line 4: patern: there is no such key\n"


def test_the_file_of_a_format_is_shown_and_checks(cli: InProcess, tmp_path: Path) -> None:
    shown = cli("formats", "show", "redis")
    assert shown.code == 0
    path = tmp_path / "redis.toml"
    path.write_text(shown.out)
    assert cli("formats", "check", str(path)).code == 0
    assert cli("formats", "check", "redis").code == 0
    assert "it is built in and has no file" in cli("formats", "show", "json").err
    missing = cli("formats", "show", "rediss").err
    assert missing.startswith("puppylog: cannot show format 'rediss': there is no such format; the nearest are redis")
    assert len(missing) < 200, "not all names"
    assert cli("formats", "show", "nonsense").code == 2


def test_a_changed_format_file_has_another_version(folder: Path) -> None:
    set_own_folder(folder)
    path = folder / "own.toml"
    path.write_text(OWN)
    before = find_versions("own"), find_versions(f"@{path}"), find_versions("auto")
    path.write_text(OWN.replace("message", "text"))
    after = find_versions("own"), find_versions(f"@{path}"), find_versions("auto")
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert find_versions("json") == find_versions("redis") == ()


def test_a_table_shows_origins_only_if_a_file_of_the_user_is_listed(cli: InProcess, folder: Path) -> None:
    assert "origin" not in cli("formats").out.splitlines()[0]
    (folder / "own.toml").write_text(OWN)
    assert "origin" in cli("formats").out.splitlines()[0]
