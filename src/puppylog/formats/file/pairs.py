"""Splits texts of ``key=value`` pairs: whole columns of strings at once."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.file.texts import QUOTES, null_if_empty, to_json, unquote
from puppylog.formats.integers import count_up
from puppylog.formats.lines import may_contain
from puppylog.formats.quoting import quote

KEY: Final = "key"
"""The separator of pairs whose values end before the next key: values hold blanks, without quotes."""

_PAIR, _EQUALS = "\x1e", "\x1f"  # control characters that stand for the start of a pair and for its equals sign
_MARKS: Final = "[\x1e\x1f]"
_NAME: Final = r"[A-Za-z_@][\w.@/\[\]-]*"
_QUOTED: Final = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_WORDS: Final = rf"(^|[\s,;(\[])({_NAME})=({_QUOTED}|[^\s\"'][^\s]*|)"
_WHOLE_WORDS: Final = rf"(?:^|[\s,;(\[]){_NAME}=(?:{_QUOTED}|[^\s\"'][^\s]*|)"
_KEY_ALONE: Final = re.compile(rf"[\s,;(\[]?({_NAME})", re.ASCII)
_TRIAL: Final = 64  # texts that are tried first: most columns have either pairs only, or other text everywhere
_MAX_KEYS: Final = 1024

_Split: TypeAlias = tuple[pa.Array, list[str], pa.Array, pa.Array, pa.Array | None]
"""Of each pair the number of its text; the distinct keys; of each pair the index of its key and its value; the rest."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a column of texts. ``rows``, ``codes`` and ``values`` have one value for each pair."""

    count: int  # the number of texts
    keys: list[str]  # the distinct keys
    rows: pa.Array  # int64: the number of the text, ascending
    codes: pa.Array  # int32: the index of the key in `keys`
    values: pa.Array  # strings
    rest: pa.Array | None  # the text before the first pair; null if there is none

    def get(self, key: str) -> pa.Array:
        """Return the value of a key in each text; null where the text has no such key."""
        of_key = pc.equal(self.codes, self.keys.index(key))
        rows = self.rows.filter(of_key)
        return self.values.filter(of_key).take(pc.index_in(count_up(self.count), value_set=rows))

    def write_members(self, without: Collection[str]) -> pa.Array:
        """Return for each text the members of a JSON object of its pairs; null if there are none.

        Args:
            without: keys that are left out.
        """
        left_out = pa.array([code for code, key in enumerate(self.keys) if key in without], pa.int32())
        kept = pc.invert(pc.is_in(self.codes, value_set=left_out))
        kept = pc.and_(kept, pc.invert(pc.is_in(self.values, value_set=pa.array(["", "-"]))))
        rows, codes, values = self.rows.filter(kept), self.codes.filter(kept), self.values.filter(kept)
        names = pa.array([f"{quote(key)}: " for key in self.keys], pa.string()).take(codes)
        members = pc.binary_join_element_wise(names, to_json(values), "")
        return _join_by_row(rows, members, self.count)


def split_pairs(texts: pa.Array, separator: str) -> Pairs:
    """Return the pairs of texts. Of pairs with the same key in one text, the first counts.

    Args:
        texts: strings without nulls.
        separator: what stands between two pairs; empty for blanks, where values may be quoted; or `KEY`.
    """
    found = _split_only_pairs(texts) if not separator and _split_only_pairs(texts[:_TRIAL]) is not None else None
    rows, names, codes, values, rest = found or _split(texts, separator)
    if separator:  # blanks around a value without a separator are not part of it
        values = pc.ascii_trim_whitespace(values)
    rows, codes, values = _drop_repeated(rows, codes, values, len(names))
    return Pairs(len(texts), names, rows, codes, _unescape(values, separator), rest)


def _split_only_pairs(texts: pa.Array) -> _Split | None:
    """Split texts that have nothing but pairs between blanks; return None if a text has something else.

    The expression then need not say where a key begins, so Arrow need not look for groups: that halves its time.
    """
    marked = _cut_commas(pc.replace_substring_regex(_without_marks(texts), _WHOLE_WORDS, f"\\0{_PAIR}"))
    parts = pc.split_pattern(marked, _PAIR)
    rows, flat = pc.list_parent_indices(parts).cast(pa.int64()), pc.list_flatten(parts)
    is_pair = pc.not_equal(flat, "")
    rows, halves = rows.filter(is_pair), pc.split_pattern(flat.filter(is_pair), "=", max_splits=1)
    if not pc.all(pc.equal(pc.list_value_length(halves), 2)).as_py():
        return None
    keys = pc.list_element(halves, 0).dictionary_encode()
    written = keys.dictionary.to_pylist() if len(keys.dictionary) < _MAX_KEYS else [""]
    matches = [_KEY_ALONE.fullmatch(key) for key in written]
    names = [match[1] for match in matches if match is not None]
    if len(names) < len(written):
        return None
    distinct = list(dict.fromkeys(names))
    codes = pa.array([distinct.index(name) for name in names], pa.int32()).take(keys.indices)
    return rows, distinct, codes, pc.list_element(halves, 1), None


def _split(texts: pa.Array, separator: str) -> _Split:
    parts = pc.split_pattern(_mark(texts, separator), _PAIR)
    rows = pc.list_parent_indices(parts).cast(pa.int64())
    flat = pc.list_flatten(parts)
    halves = pc.split_pattern(flat, _EQUALS, max_splits=1)
    is_pair = pc.equal(pc.list_value_length(halves), 2)
    others, rest = rows.filter(pc.invert(is_pair)), pc.ascii_trim(flat.filter(pc.invert(is_pair)), " \t\n,;")
    pairs, rows = halves.filter(is_pair), rows.filter(is_pair)
    keys = pc.list_element(pairs, 0).dictionary_encode()
    has_rest = pc.not_equal(rest, "")
    left = None
    if pc.any(has_rest).as_py():
        left = null_if_empty(
            _join_by_row(others.filter(has_rest), rest.filter(has_rest), len(texts), " ").fill_null("")
        )
    return rows, keys.dictionary.to_pylist(), keys.indices, pc.list_element(pairs, 1), left


def _mark(texts: pa.Array, separator: str) -> pa.Array:
    """Return the texts with marks before each key and in place of the equals sign after it."""
    texts = _without_marks(texts)
    if separator == KEY:
        return pc.replace_substring_regex(texts, rf"(?:^|\s)({_NAME})=", f"{_PAIR}\\1{_EQUALS}")
    if separator:
        cut = pc.replace_substring(texts, separator, _PAIR)
        return pc.replace_substring_regex(cut, f"(^|{_PAIR})\\s*({_NAME})\\s*=", f"{_PAIR}\\2{_EQUALS}")
    marked = pc.replace_substring_regex(texts, _WORDS, f"\\1{_PAIR}\\2{_EQUALS}\\3{_PAIR}")
    marked = pc.replace_substring(marked, f"{_PAIR} {_PAIR}", _PAIR)  # a blank between pairs is not text of its own
    return _cut_commas(marked)


def _without_marks(texts: pa.Array) -> pa.Array:
    """Return the texts with question marks in place of what stands for the start of a pair and for its equals sign."""
    if may_contain(texts, _PAIR.encode()) or may_contain(texts, _EQUALS.encode()):
        return pc.replace_substring_regex(texts, _MARKS, "?")
    return texts


def _cut_commas(marked: pa.Array) -> pa.Array:
    """Return marked texts without the comma or semicolon after a value without quotes."""
    marks = [mark for mark in (b",", b";") if may_contain(marked, mark)]  # a search for one byte is the fastest
    if not any(may_contain(marked, mark + _PAIR.encode()) for mark in marks):
        return marked
    return pc.replace_substring_regex(marked, f"([^\"'])[,;]{_PAIR}", f"\\1{_PAIR}")


def _unescape(values: pa.Array, separator: str) -> pa.Array:
    """Return the values without their quotes and escapes."""
    if separator == KEY:
        return pc.replace_substring(values, "\\=", "=")
    may_be_quoted = pc.is_in(pc.binary_slice(values.view(pa.binary()), 0, 1), value_set=QUOTES)
    if not pc.any(may_be_quoted).as_py():
        return values
    found = values.filter(may_be_quoted)
    if not separator:  # `_WORDS` takes a value that begins with a quote only up to the quote that closes it
        return pc.replace_with_mask(values, may_be_quoted, unquote(found))
    is_quoted = pc.match_substring_regex(found, rf"(?s)^{_QUOTED}$")
    return pc.replace_with_mask(values, may_be_quoted, pc.if_else(is_quoted, unquote(found), found))


def _drop_repeated(rows: pa.Array, codes: pa.Array, values: pa.Array, keys: int) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return the pairs without those whose key stands earlier in the same text."""
    both = pc.add(pc.multiply(rows, pa.scalar(max(keys, 1), pa.int64())), codes.cast(pa.int64()))
    if pc.all(pc.greater(both[1:], both[:-1])).as_py():  # the texts have their keys in the same order
        return rows, codes, values
    order = pc.sort_indices(both)  # stable, and faster than a table of hashes, because the numbers nearly ascend
    ordered = both.take(order)
    repeats = pc.equal(ordered[1:], ordered[:-1])
    if not pc.any(repeats).as_py():
        return rows, codes, values
    kept = pc.invert(pc.is_in(count_up(len(both)), value_set=order[1:].filter(repeats)))
    return rows.filter(kept), codes.filter(kept), values.filter(kept)


def _join_by_row(rows: pa.Array, texts: pa.Array, count: int, separator: str = ", ") -> pa.Array:
    """Return for each of ``count`` rows its texts with the separator between them; null for a row without texts."""
    runs = pc.run_end_encode(rows)
    if not len(rows):
        return pa.nulls(count, pa.string())
    ends = runs.run_ends.cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), separator)
    return joined.take(pc.index_in(count_up(count), value_set=runs.values))
