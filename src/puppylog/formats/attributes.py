"""Builds the column ``attributes``: JSON objects of the values that have no column of their own.

A row without such values stays null.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.lines import may_contain

_SHORT_ESCAPES = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}


def quote_json(texts: pa.Array) -> pa.Array:
    """Return each text as a JSON string; null stays null. Equal texts are quoted only once, to save time."""
    encoded = texts.dictionary_encode()
    return quote_texts(encoded.dictionary).take(encoded.indices)


def quote_texts(texts: pa.Array) -> pa.Array:
    """Return each text as a JSON string, as `quote_json` does; equal texts are quoted each time."""
    escaped = texts
    for mark in ("\\", '"'):
        if may_contain(escaped, mark.encode()):
            escaped = pc.replace_substring(escaped, mark, f"\\{mark}")
    if pc.any(pc.match_substring_regex(escaped, r"[\x00-\x1f]")).as_py():
        for code in range(0x20):
            escaped = pc.replace_substring(escaped, chr(code), _SHORT_ESCAPES.get(code, f"\\u{code:04x}"))
    return pc.binary_join_element_wise('"', escaped, '"', "")


def build_objects(members: Mapping[str, pa.Array], present: pa.Array) -> pa.Array:
    """Return a JSON object for each true value of ``present``, and null for each false value.

    Args:
        members: by key, the JSON values of the rows that are present. A null value leaves out the key in that row. Keys
            must not need escapes.
        present: bool: whether each row has an object.
    """
    named = [
        pc.binary_join_element_wise(f'"{key}": ', values, "")
        for key, values in members.items()
        if values.null_count < len(values)
    ]
    if not named:
        return pa.nulls(len(present), pa.string())
    contents = named[0] if len(named) == 1 else pc.binary_join_element_wise(*named, ", ", null_handling="skip")
    objects = pc.binary_join_element_wise("{", contents, "}", "")
    if len(objects) == len(present):
        return objects
    index = pc.subtract(pc.cumulative_sum(present.cast(pa.int64())), 1)
    return objects.take(pc.if_else(present, index, None))
