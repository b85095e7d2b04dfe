"""Decides by its name which column a group fills: the name of the column, or a name in the table of ``names``.

If several groups name the same column, the group with the best name fills it, and the others become attributes. A group
that is a whole request fills the columns of method, route and protocol; groups for these parts then become attributes.
"""

from collections.abc import Sequence
from typing import Final

from puppylog.formats.names import find_name, normalize
from puppylog.model.record import ALIASES, RECORDS

TIME: Final = "ts"
REQUEST: Final = "request"
_PARTS: Final = ("request_method", "request_route", "request_proto")

_OWN_NAMES: Final = {name: name for name in RECORDS.names if name not in {"line_offset", "attributes"}} | ALIASES


def assign_fields(groups: Sequence[str]) -> dict[str, str]:
    """Return by field the group that fills it. A field is the name of a column, or `REQUEST`."""
    best: dict[str, tuple[int, str]] = {}
    for group in groups:
        field, rank = _OWN_NAMES.get(group), -1
        if field is None:
            name = find_name(normalize(group))
            if name is None:
                continue
            field, rank = name.field, name.rank
        if field not in best or rank < best[field][0]:
            best[field] = rank, group
    if REQUEST in best:
        for part in _PARTS:
            best.pop(part, None)
    return {field: group for field, (_, group) in best.items()}
