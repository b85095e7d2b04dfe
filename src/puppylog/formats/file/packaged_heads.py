"""The heads of Puppylog's format files, known without reading the files.

`auto` has more than 300 format files as candidates and needs few of them. To read and compile all of them takes 0.3 s,
which every start of a collector would pay. ``heads.json`` holds the heads alone; a test compares it with the files, and
``PYTHONPATH=tests python -m support.packaged_heads`` writes it anew.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final, TypeAlias

import msgspec

from puppylog.formats.file.beginnings import Head

TABLE: Final = "heads.json"
"""The name of the table, in the folder of this module."""

_WrittenHead: TypeAlias = tuple[str | None, str]  # the first characters, and the expression


@cache
def list_packaged_heads() -> Mapping[str, tuple[Head, ...]]:
    """Return the heads of formats by name; a format is left out if it has none that are known."""
    written = resources.files("puppylog.formats.file").joinpath(TABLE).read_bytes()
    table = msgspec.json.decode(written, type=dict[str, tuple[_WrittenHead, ...]])
    return {name: tuple(map(_read_head, heads)) for name, heads in table.items()}


def _read_head(written: _WrittenHead) -> Head:
    characters, regex = written
    return Head(regex, None if characters is None else frozenset(characters))
