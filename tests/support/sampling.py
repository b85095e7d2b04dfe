"""Chooses half of the tests with the mark `sampled` for one run of `make test`.

These tests try one promise in several costly cases: on each store, or in each part of a page. A run tests half of the
cases, and another run others: the seed of the run, which it prints, decides. `make soak` tests all of them.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

import pytest

OPTION: Final = "--sample"


def skip_half(items: Sequence[pytest.Item], seed: int) -> None:
    """Let half of the marked tests be skipped, and say so.

    Args:
        items: all tests of a run. Those that are skipped for another reason are no cases.
        seed: of the run. All processes of a run need the same one.
    """
    cases = [item for item in items if item.get_closest_marker("sampled") and not item.get_closest_marker("skip")]
    left_out = choose_half((item.nodeid for item in cases), seed)
    reason = f"NOT TESTED in this run, seed {seed}, which tests half of such cases; `make soak` tests all"
    for item in cases:
        if item.nodeid in left_out:
            item.add_marker(pytest.mark.skip(reason=reason))


def choose_half(names: Iterable[str], seed: int) -> set[str]:
    """Return the half of the tests, rounded down, that a run leaves out.

    Args:
        names: the tests, as `pytest.Item.nodeid`, in any order. The cases of a test with parameters are halved for each
            function, those without parameters for each folder.
        seed: decides which half.
    """
    groups = defaultdict(list)
    for name in sorted(names):
        function, bracket, _ = name.partition("[")
        groups[function if bracket else str(PurePosixPath(name.partition("::")[0]).parent)].append(name)
    return {
        name
        for group, members in groups.items()
        for name in random.Random(f"{seed} {group}").sample(members, len(members) // 2)
    }
