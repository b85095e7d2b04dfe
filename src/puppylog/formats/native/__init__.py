"""Readers of lines in C, for what is parsed most. Without a compiler there are none, and Python reads the same.

Each has a twin in Python, which says the same of every line; tests hold the two against each other.
"""

import contextlib
from importlib import import_module
from typing import Any

lines: Any = None
"""The module, if there is one; its functions take a text and more, and give what `rows.rows_from_buffers` takes."""

with contextlib.suppress(ImportError):  # built where there was no C compiler
    lines = import_module("puppylog.formats.native._lines")
