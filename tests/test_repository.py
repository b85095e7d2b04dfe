"""Committed files name no machine or registry, pin every dependency by hash, and give a reason for each exception."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog import __version__

ROOT = Path(__file__).parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
LOCKS = ["requirements/run.txt", "requirements/build.txt", "requirements/dev.txt"]
# Hosts that packages come from, and directories that belong to one machine or user.
REGISTRIES = re.compile(r"(pypi|pythonhosted|npmjs|crates|debian|ubuntu|docker)[.](org|com|io)\b")
MACHINE_PATHS = re.compile(r"""(^|[\s"'`(=:])/(root|Users|work|opt|tmp|mnt)/[\w.-]+""", re.MULTILINE)
EXCEPTION = re.compile(r"#\s*(noqa|type: ignore|pragma|ruff: noqa|mypy:)(?P<rest>.*)$", re.MULTILINE)
REASONED = re.compile(r"(: [A-Z]+\d+(, [A-Z]+\d+)*|\[[a-z, -]+\]) +[-#] \S.+")


def iter_texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of every file of the repository. git is not asked: an unpacked archive has none."""
    folders = ("src", "tests", "bench", "docs", "deploy", "requirements", ".ci")
    paths = [path for path in ROOT.iterdir() if path.is_file()]
    paths += [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in paths:
        # In a linked work tree, .git is a file that says where the repository is.
        if "__pycache__" not in path.parts and path.name not in (".coverage", ".git"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace")


def read_locked(name: str) -> dict[str, list[str]]:
    """Return the requirements of a lock file, each with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {
        line.partition(" --hash=")[0].strip(): re.findall(r"--hash=sha256:([0-9a-f]{64})\b", line) for line in lines
    }


def test_no_file_names_a_package_registry() -> None:
    found = {name: match[0] for name, text in iter_texts() if (match := REGISTRIES.search(text))}
    assert found == {}


def test_no_file_names_a_path_of_a_machine() -> None:
    found = {
        name: match[0].strip()
        for name, text in iter_texts()
        if not name.endswith((".log", ".jsonl")) and (match := MACHINE_PATHS.search(text))
    }
    assert found == {}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_has_hashes(name: str) -> None:
    locked = read_locked(name)
    assert len(locked) >= 7
    assert [line for line, hashes in locked.items() if "==" not in line or not hashes] == []


@pytest.mark.parametrize("name", LOCKS)
def test_requirements_name_no_address_and_no_option(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert [line for line in text.splitlines() if line.startswith("-")] == []


def test_the_checks_run_with_the_same_versions_as_the_product() -> None:
    # The markers after ';' may differ: a check may need a package on every interpreter.
    run, build, dev = (
        {line.partition(" ;")[0]: hashes for line, hashes in read_locked(name).items()} for name in LOCKS
    )
    assert run.items() <= dev.items()
    assert build.items() <= dev.items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads(PYPROJECT)
    groups = project["dependency-groups"]
    for lock, wanted in (
        (LOCKS[0], [project["project"]["dependencies"]]),
        (LOCKS[1], [groups["build"]]),
        (LOCKS[2], [groups["dev"]]),
    ):
        names = {re.split("[><=;[ ]", text)[0] for texts in wanted for text in texts if isinstance(text, str)}
        assert names
        assert names <= {line.partition("==")[0] for line in read_locked(lock)}


@pytest.mark.parametrize("table", ["dependencies", "build", "dev", "ignore", '"tests/**"', '"bench/**"', '"deploy/**"'])
def test_every_dependency_and_every_ignored_rule_carries_its_reason(table: str) -> None:
    block = re.search(rf"^{re.escape(table)} = \[\n(.*?)^\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    if block is None:
        pytest.fail(f"pyproject.toml has no list called {table}")
    entries = [line for line in block[1].splitlines() if "include-group" not in line]
    assert entries
    assert [line for line in entries if not re.search(r'",\s+# \S.{5,}', line)] == []


def test_every_exception_to_a_check_carries_its_reason_on_its_line() -> None:
    bare = [
        f"{name}: {match[0]}"
        for name, text in iter_texts()
        if name.endswith(".py") and name != "tests/test_repository.py"
        for match in EXCEPTION.finditer(text)
        if not REASONED.match(match["rest"])
    ]
    assert bare == []


def test_the_changelog_has_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_ci_runs_make_check() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make check" in script.read_text(encoding="utf-8")
