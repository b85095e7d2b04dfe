"""The package's own build makes the native readers where there is a compiler, and is whole without them."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hatch_build import NativeReaders

ROOT = Path(__file__).parents[1]
FOLDER = Path("src", "puppylog", "formats", "native")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return tmp_path


def build(root: Path) -> dict[str, Any]:
    data: dict[str, Any] = {"artifacts": []}
    hook = NativeReaders(str(root), {}, None, None, "", "wheel")  # type: ignore[arg-type]  # it asks nothing of the rest
    hook.initialize("standard", data)
    return data


def test_a_wheel_has_the_native_readers_and_is_for_this_platform(root: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("NOT TESTED: the build of the native readers; there is no C compiler")
    data = build(root)
    (artifact,) = data["artifacts"]
    assert (root / artifact).exists()
    assert (data["pure_python"], data["infer_tag"]) == (False, True)


def test_without_a_compiler_the_package_is_whole_and_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "cc")

    monkeypatch.setattr(subprocess, "run", fail)
    assert build(root) == {"artifacts": []}
    assert not list((root / FOLDER).glob("*.so"))
    assert capsys.readouterr().err.startswith("no native readers, lines are parsed more slowly: ")
