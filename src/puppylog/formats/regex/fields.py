"""Decides by its name which column a group fills: the name of the column, or a name in the table of ``names``.

If several groups name the same column, the group with the best name fills it, and the others become attributes. A group
that is a whole request fills the columns of method, route and protocol; groups for these parts then become attributes.
A name that means a column only in a line with a request needs a group for the request, its method or its protocol.
"""

from collections.abc import Sequence
from typing import Final

from puppylog.formats.names import Name, find_name, normalize
from puppylog.model.record import ALIASES, RECORDS

TIME: Final = "ts"
REQUEST: Final = "request"
_PARTS: Final = ("request_method", "request_route", "request_proto")

_OWN_NAMES: Final = {name: name for name in RECORDS.names if name not in {"line_offset", "attributes"}} | ALIASES


_FIELDS: Final = {*RECORDS.names, REQUEST}


def assign_fields(groups: Sequence[str]) -> dict[str, str]:
    """Return by field the group that fills it. A field is the name of a column, or `REQUEST`."""
    best: dict[str, tuple[int, str]] = {}
    has_request = any(_is_of_request(group) for group in groups)
    for group in groups:
        field, rank = _OWN_NAMES.get(group), -1
        if field is None:
            name = find_name(normalize(group))
            if name is None or name.field not in _FIELDS or not _is_meant(name, has_request=has_request):
                continue
            field, rank = name.field, name.rank
        if field not in best or rank < best[field][0]:
            best[field] = rank, group
    if REQUEST in best:
        for part in _PARTS:
            best.pop(part, None)
    return {field: group for field, (_, group) in best.items()}


def _is_of_request(group: str) -> bool:
    """Return whether a group with this name is always part of a request."""
    name = find_name(normalize(group))
    own = _OWN_NAMES.get(group, name.field if name is not None and name.rule in {"", "method"} else "")
    return own in _PARTS or own == REQUEST


def _is_meant(name: Name, *, has_request: bool) -> bool:
    match name.rule:
        case "request":
            return has_request
        case "no request":
            return not has_request
    return name.rule != "sender"
