"""Which group fills which column, by its name: the column's own, or one that logs give to such a field (see ``names``).

Where several groups are meant for one column, the best name wins and the others stay attributes. A whole request fills
the columns of its method, route and protocol; groups for those are attributes beside it.
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
    """Return the group of each field: of a column, or `REQUEST`."""
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
