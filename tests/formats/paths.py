"""The two paths on which lines are read: the native readers and the readers in Python."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from puppylog.formats import native

PATHS = ["native", "python"]


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Make the formats use the readers of one of PATHS."""
    if path == "native":
        if native.lines is None:
            pytest.skip("NOT TESTED: the native readers; there was no C compiler when Puppylog was installed")
        yield
        return
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(native, "lines", None)
        yield
