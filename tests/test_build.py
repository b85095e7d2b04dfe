"""The build compiles the modules in C if there is a compiler. Without them the package is complete."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import hatch_build

ROOT = Path(__file__).parents[1]
FOLDERS = [
    Path("src", "puppylog", "formats", "native"),
    Path("src", "puppylog", "stores", "postgres", "ingest"),
    Path("src", "puppylog", "receive", "otlp", "native"),
    Path("src", "puppylog", "rows"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in [*FOLDERS, Path("src", "puppylog", "native")]:  # the headers that they share
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return tmp_path


def build(root: Path) -> dict[str, Any]:
    data: dict[str, Any] = {"artifacts": []}
    hook = hatch_build.NativeModules(str(root), {}, None, None, "", "wheel")  # type: ignore[arg-type]  # the hook does not use the other arguments
    hook.initialize("standard", data)
    return data


def test_a_wheel_contains_the_modules_in_c_and_is_for_this_platform(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("cc") is None:
        pytest.skip("NOT TESTED: the build of the modules in C; there is no C compiler")
    command = hatch_build._command
    # Where the tests run, the same commands have compiled the modules' own files, which takes seconds.
    empty = root / "empty.c"
    empty.touch()
    monkeypatch.setattr(
        hatch_build,
        "_command",
        lambda target: [*(word for word in command(target) if not word.endswith(".c")), str(empty)],
    )
    data = build(root)
    assert [Path(artifact).parent for artifact in data["artifacts"]] == FOLDERS
    names = [Path(artifact).name.split(".")[0] for artifact in data["artifacts"]]
    assert names == ["_lines", "_pgcopy", "_records", "_rows"]
    assert all((root / artifact).exists() for artifact in data["artifacts"])
    assert (data["pure_python"], data["infer_tag"]) == (False, True)


def test_without_a_compiler_the_build_succeeds_and_says_what_is_slower(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "cc")

    monkeypatch.setattr(subprocess, "run", fail)
    assert build(root) == {"artifacts": []}
    assert not list(root.rglob("*.so"))
    messages = capsys.readouterr().err.splitlines()
    assert [message.partition(":")[0] for message in messages] == [
        "cannot compile _lines, lines are parsed more slowly",
        "cannot compile _pgcopy, rows for PostgreSQL are encoded more slowly",
        "cannot compile _records, log records of OTLP are decoded more slowly",
        "cannot compile _rows, JSON and CSV are written more slowly",
    ]
