"""JSON objects in columns: what a line says that has no column of its own.

Only lines that have something to say are touched; the rest stay null.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

_SHORT_ESCAPES = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}


def quote_json(texts: pa.Array) -> pa.Array:
    """Return each text as a JSON string; null stays null. Equal texts are quoted once."""
    encoded = texts.dictionary_encode()
    escaped = pc.replace_substring(encoded.dictionary, "\\", "\\\\")
    escaped = pc.replace_substring(escaped, '"', '\\"')
    if pc.any(pc.match_substring_regex(escaped, r"[\x00-\x1f]")).as_py():
        for code in range(0x20):
            escaped = pc.replace_substring(escaped, chr(code), _SHORT_ESCAPES.get(code, f"\\u{code:04x}"))
    return pc.binary_join_element_wise('"', escaped, '"', "").take(encoded.indices)


def build_objects(members: Mapping[str, pa.Array], present: pa.Array) -> pa.Array:
    """Return one JSON object per row of ``present``, null where it is false.

    Args:
        members: JSON values by key, one for each row that is present; a null leaves its key out. Keys need no escape.
        present: bool: which rows have an object.
    """
    named = [
        pc.binary_join_element_wise(f'"{key}": ', values, "")
        for key, values in members.items()
        if values.null_count < len(values)
    ]
    if not named:
        return pa.nulls(len(present), pa.string())
    joined = named[0] if len(named) == 1 else pc.binary_join_element_wise(*named, ", ", null_handling="skip")
    objects = pc.binary_join_element_wise("{", joined, "}", "")
    if len(objects) == len(present):
        return objects
    place = pc.subtract(pc.cumulative_sum(present.cast(pa.int64())), 1)
    return objects.take(pc.if_else(present, place, None))
