"""The number of examples of a property test: small in ``make test``, and a multiple of that in ``make soak``."""

import os
from typing import Final

USUAL: Final = 100
"""The number of examples of a test that does not set one."""

_TIMES: Final = int(os.environ.get("PUPPYLOG_TEST_EXAMPLES_TIMES", "1"))

IS_SOAK: Final = _TIMES > 1
"""Whether property tests draw new examples."""


def examples(quick: int) -> int:
    """Return the number of examples of a test that has ``quick`` examples in ``make test``."""
    return quick * _TIMES
