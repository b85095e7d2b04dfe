"""The readers of lines in C: ``lines`` is None if there was no C compiler when Puppylog was installed.

Each has a counterpart in Python that returns the same rows. Tests compare the two.
"""

__all__ = ["lines"]

try:
    from puppylog.formats.native import _lines as lines
except ImportError:  # there was no C compiler when Puppylog was installed
    lines = None  # type: ignore[assignment]  # mypy has no type for a module that may be missing
