"""The number of examples of a property test: small in ``make test``, and a multiple of that in ``make soak``."""

import os
from typing import Final

USUAL: Final = 20
"""The number of examples of a test that does not set one; `make soak` multiplies `USUAL_SOAK`."""

USUAL_SOAK: Final = 100

_TIMES: Final = int(os.environ.get("PUPPYLOG_TEST_EXAMPLES_TIMES", "1"))

IS_SOAK: Final = _TIMES > 1
"""Whether property tests draw new examples."""


def examples(quick: int, *, soak: int | None = None) -> int:
    """Return the number of examples of a property test.

    Args:
        quick: the number in ``make test``.
        soak: the number that ``make soak`` multiplies; None for ``quick``. Tests whose examples take long set it.
    """
    return (soak or quick) * _TIMES if IS_SOAK else quick
