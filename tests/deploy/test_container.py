"""The image: what its build deletes is never loaded, and the program runs as a user that the system does not know."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from puppylog.stores.duckdb.directory import StoreDirectory
from support.embedded import wait_until

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"
SITE = Path(sysconfig.get_path("purelib"))
UNKNOWN_USER = 54_321
LOADED = """
import pyarrow, pyarrow.compute, pyarrow.csv, pyarrow.dataset, pyarrow.flight, pyarrow.ipc, pyarrow.parquet, sys, io
table = pyarrow.table({"a": ["x", "y"]})
assert pyarrow.compute.equal(table["a"], "x").to_pylist() == [True, False]
pyarrow.parquet.write_table(table, sys.argv[1], compression="zstd")
assert pyarrow.dataset.dataset(sys.argv[1]).to_table() == table
assert pyarrow.__file__.startswith(sys.argv[2])
"""


def link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def test_what_is_left_of_pyarrow_is_all_that_puppylog_loads(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(SITE / "pyarrow", site / "pyarrow", copy_function=link)
    (site / "pyarrow" / "include").mkdir(exist_ok=True)
    trim = runpy.run_path(str(CONTAINER / "trim.py"))["trim"]
    trim(site)
    assert not (site / "pyarrow" / "include").exists()
    assert list(site.rglob("*.pyx")) == []
    command = [sys.executable, "-c", LOADED, str(tmp_path / "rows.parquet"), str(site)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(site)})
    assert trim(site) == 0


def test_each_library_is_kept_under_the_name_by_which_it_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "pyarrow"
    (folder / "tests").mkdir(parents=True)
    names = [
        "libarrow_python.so",
        "libarrow_python.so.2600",
        "libarrow_python.so.2600.1.0",
        "libarrow.so.2600",
        "lib.py",
    ]
    for name in [*names, "libarrow_s3.so.2600", "tests/test_array.py"]:
        (folder / name).write_bytes(b"12")
    assert runpy.run_path(str(CONTAINER / "trim.py"))["trim"](tmp_path) == 8
    assert sorted(path.name for path in folder.iterdir()) == ["lib.py", "libarrow.so.2600", "libarrow_python.so.2600"]


def test_the_image_installs_what_is_locked_and_runs_as_no_user_of_the_system() -> None:
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"^ARG (.*)$", text, re.MULTILINE) == ["BASE=python:3.13-slim"]
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE) == ["${BASE} AS build", "scratch"]
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["65532:0"]
    assert re.findall(r"^VOLUME (.*)$", text, re.MULTILINE) == ["/var/lib/puppylog"]
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    assert json.loads(text[text.index("ENTRYPOINT") :].split(maxsplit=1)[1].splitlines()[0]) == ["/usr/bin/puppylog"]


def test_the_files_that_the_build_copies_are_in_its_context() -> None:
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
    copied = [word for words in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in words.split()[:-1]]
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    ]
    for path in copied:
        assert (ROOT / path).exists(), path
        assert any(path == folder or path.startswith(f"{folder}/") for folder in allowed), path


def test_the_default_configuration_has_the_store_on_the_volume() -> None:
    configuration = tomllib.loads((CONTAINER / "puppylog.toml").read_text(encoding="utf-8"))
    assert configuration == {
        "store": "duckdb:///var/lib/puppylog/store",
        "listen": {"address": "0.0.0.0:7380"},
    }


def test_a_user_without_an_entry_in_passwd_has_a_store(tmp_path: Path) -> None:
    home = tmp_path / "h"
    home.mkdir()
    # In a user namespace this process has another number, and the files of its user are still its own.
    unknown = ["unshare", "--user", f"--map-user={UNKNOWN_USER}", f"--map-group={UNKNOWN_USER}"]
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*unknown, sys.executable, *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd="/")

    if shutil.which("unshare") is None or run("-c", "").returncode != 0:
        pytest.skip("NOT TESTED: a user that the system does not know; unshare makes no user namespace here")
    asked = run("-c", "import os, pwd; print(os.getuid()); pwd.getpwuid(os.getuid())")
    assert (asked.stdout, "KeyError" in asked.stderr) == (f"{UNKNOWN_USER}\n", True)
    checked = run("-m", "puppylog", "doctor", "--quick", "-o", "jsonl")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout.splitlines()[0])["found"] == "it answers"
    directory = StoreDirectory(home / ".local" / "share" / "puppylog")
    stopped = run("-m", "puppylog", "down", "--quiet")
    assert stopped.returncode == 0, stopped.stderr
    wait_until(lambda: not directory.socket.exists(), within_s=20, what="the end of the engine")
