"""Random histories of a directory: lines are written, files renamed, linked, rotated, compressed, collected by cron.

To run more histories: TAILING_EXAMPLES=1000 pytest tests/collect/test_names_at_random.py
"""

import os
import random
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from support.numbered_logs import Logs

STEPS = 25
KINDS = ("write", "write", "collect", "collect", "rotate", "move", "link", "gzip", "unlink")


@pytest.mark.parametrize("seed", range(int(os.environ.get("TAILING_EXAMPLES", "20"))))
def test_each_line_is_stored_once_under_any_names_of_its_file(tmp_path: Path, seed: int) -> None:
    logs, chance = Logs(tmp_path), random.Random(seed)
    history = [act(logs, chance, step) for step in range(STEPS)]
    logs.write("a.log", 1)
    logs.collect()
    logs.collect()
    try:
        logs.check()
    except AssertionError as error:
        raise AssertionError(f"{error} after {history}") from None


def act(
    logs: Logs,
    chance: random.Random,
    step: int,
    may_move: Callable[[str], bool] = lambda _: True,
    frozen: Collection[int] = (),
) -> tuple[str, ...]:
    """Do one random action, if there are files for it; return which.

    Files with frozen inodes are not changed.
    """
    names = sorted(path.name for path in logs.directory.iterdir() if path.suffix != ".gz" and not path.is_symlink())

    def is_frozen(name: str) -> bool:
        return logs.path(name).exists() and logs.path(name).stat().st_ino in frozen

    kind = chance.choice(KINDS)
    name = chance.choice(names) if names else "a.log"
    if kind == "write":
        name, count = choose_log(chance, names), chance.choice([1, 3, 30])
        if not is_frozen(name):
            logs.write(name, count)
    elif kind == "collect" and names:
        logs.collect()
    elif names and not is_frozen(name):
        rearrange(logs, kind, name, step, may_move)
    return kind, name


def choose_log(chance: random.Random, names: list[str]) -> str:
    return chance.choice(["a.log", "b.log", *[other for other in names if other.startswith("z")][:1]])


def rearrange(logs: Logs, kind: str, name: str, step: int, may_move: Callable[[str], bool]) -> None:
    links = logs.path(name).stat().st_nlink
    if kind == "rotate" and name in {"a.log", "b.log"}:
        rotate(logs, name)
    elif kind == "move" and may_move(name):
        logs.rename(name, f"z{step}.log")
    elif kind == "link" and may_move(name):
        logs.path(f"zl{step}.log").hardlink_to(logs.path(name))
    elif kind == "gzip" and ".log." in name and links == 1:
        logs.gzip(name)
    elif kind == "unlink" and links > 1:
        logs.path(name).unlink()


def rotate(logs: Logs, name: str) -> None:
    shift_rotated(logs, name)
    logs.rename(name, f"{name}.1")


def shift_rotated(logs: Logs, name: str) -> None:
    """Give each rotated file of the log the next number."""
    for age in range(STEPS * 2, 0, -1):
        for ending in ("", ".gz"):
            if logs.path(f"{name}.{age}{ending}").exists():
                logs.rename(f"{name}.{age}{ending}", f"{name}.{age + 1}{ending}")
