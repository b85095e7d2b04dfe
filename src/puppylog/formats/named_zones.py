"""Resolves local times whose stamps name a zone by a city: ``24-Nov-2026 10:00:00 Europe/Berlin``."""

from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.rows import Rows

_ZONE: Final = r'"zone": "(?P<zone>[A-Z][A-Za-z_]+/[0-9A-Za-z_/+-]+)"'


def resolve_zone_names(ts_us: pa.Array, is_local: pa.Array, zone_names: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the times of stamps, with those resolved that name a city, and whether each is still local.

    In the hour that clocks show twice, the first of both is taken.

    Args:
        ts_us: int64: microseconds since the epoch; local times are counted as if in UTC.
        is_local: bool.
        zone_names: strings, or null.
    """
    for name in pc.unique(zone_names).to_pylist():
        if name is None or "/" not in name or not _is_zone(name):
            continue
        of_zone = pc.fill_null(pc.equal(zone_names, name), False)
        wall = ts_us.filter(of_zone).view(pa.timestamp("us"))
        instants = pc.assume_timezone(wall, name, ambiguous="earliest", nonexistent="earliest").view(pa.int64())
        ts_us = pc.replace_with_mask(ts_us, of_zone, instants)
        is_local = pc.and_not(is_local, of_zone)
    return ts_us, is_local


def resolve_rows(rows: Rows) -> Rows:
    """Return the rows of a reader with the times resolved whose attribute ``zone`` names a city."""
    if not rows.ambiguous_zones:
        return rows
    zones = pc.struct_field(pc.extract_regex(rows.columns["attributes"], _ZONE), "zone")
    was_local = rows.is_local.cast(pa.bool_())
    ts_us, is_local = resolve_zone_names(rows.ts_us, was_local, zones)
    resolved = pc.sum(pc.and_not(was_local, is_local)).as_py() or 0
    return replace(rows, ts_us=ts_us, is_local=is_local, ambiguous_zones=rows.ambiguous_zones - resolved)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
