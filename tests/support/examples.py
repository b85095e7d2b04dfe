"""How many cases a property test draws: few in ``make test``, many times as many in ``make soak``."""

import os
from typing import Final

USUAL: Final = 100
"""Examples of a test that does not say how many."""

_TIMES: Final = int(os.environ.get("PUPPYLOG_TEST_EXAMPLES_TIMES", "1"))


def examples(quick: int) -> int:
    """Return how many examples a test draws that draws ``quick`` of them in ``make test``."""
    return quick * _TIMES
