"""Reads the groups of a pattern. A last group that takes the rest of a text is cut off it, and not matched.

RE2 has a fast algorithm for at most four groups. With more, it reads ``(?P<message>.*)$`` at 13 ns a character.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.lines import may_contain, slice_bytes

Groups: TypeAlias = Mapping[str, pa.Array]

_FEW: Final = 4  # groups
_HEAD: Final = "head_of_the_text"
_REST: Final = re.compile(r"\(\?P<(?P<name>\w+)>(?P<any>\.\*|\(\?s:\.\*\))\)\$\Z")
_ESCAPES_AND_SETS: Final = re.compile(r"\\.|\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_EVERY_CHARACTER: Final = "(?s)"
# After these, the end of the pattern may mean something else.
_OTHER_MEANING: Final = re.compile(r"\\Q|\(\?[a-z]*[mU]|\\\Z")


@dataclass(frozen=True, slots=True)
class Split:
    """A pattern that is matched up to its last group."""

    regex: str  # its first group is all of the text before the rest
    name: str  # of the last group
    takes_newlines: bool

    @classmethod
    def of(cls, regex: str) -> Self | None:
        """Return how a pattern is divided; None if it has few groups, or the last one does not always take the rest."""
        rest = _REST.search(regex)
        if rest is None or regex.count("(?P<") <= _FEW:
            return None
        head = regex[: rest.start()]
        flags = _EVERY_CHARACTER if head.startswith(_EVERY_CHARACTER) else ""
        head = head.removeprefix(flags)
        if not head.startswith("^") or _OTHER_MEANING.search(head) or not _is_sequence(head):
            return None
        takes_newlines = bool(flags) or rest["any"] != ".*"
        return cls(f"{flags}^(?P<{_HEAD}>{head[1:]})", rest["name"], takes_newlines)


def _is_sequence(regex: str) -> bool:
    """Return whether the groups are closed, and no alternative is outside of them."""
    depth = 0
    for character in _ESCAPES_AND_SETS.sub("", regex):
        depth += (character == "(") - (character == ")")
        if depth < 0 or (depth == 0 and character == "|"):
            return False
    return depth == 0


def extract(texts: pa.Array, regex: str, names: Sequence[str], split: Split | None) -> tuple[pa.Array, Groups]:
    """Return whether each text matches, and the texts of the groups, by their names, of those that match.

    Args:
        texts: strings without nulls.
        regex: the pattern.
        names: of its groups.
        split: what `Split.of` returns for it.
    """
    if split is not None and not split.takes_newlines and may_contain(texts, b"\n"):
        split = None
    found = pc.extract_regex(texts, regex if split is None else split.regex)
    is_match = found.is_valid()
    found = found.filter(is_match)
    if split is None:
        return is_match, {name: pc.struct_field(found, name) for name in names}
    groups = {name: pc.struct_field(found, name) for name in names if name != split.name}
    head_sizes = pc.binary_length(pc.struct_field(found, _HEAD))
    return is_match, {**groups, split.name: _cut(texts.filter(is_match), head_sizes)}


def _cut(texts: pa.Array, sizes: pa.Array) -> pa.Array:
    """Return the texts without their first ``sizes`` bytes."""
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return texts
    bounds = pa.Array.from_buffers(pa.int32(), len(texts) + 1, [None, offsets], offset=texts.offset).cast(pa.int64())
    return slice_bytes(memoryview(data), pc.add(bounds[:-1], sizes.cast(pa.int64())), bounds[1:]).view(pa.string())
