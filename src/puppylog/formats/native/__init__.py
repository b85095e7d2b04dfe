"""Readers of lines in C. Without a compiler there are none, and Python reads the same.

Each has a twin in Python, which says the same of every line; tests hold the two against each other.
"""

__all__ = ["lines"]

try:
    from puppylog.formats.native import _lines as lines
except ImportError:  # there was no C compiler when Puppylog was installed
    lines = None  # type: ignore[assignment]  # mypy knows no module that may be missing
