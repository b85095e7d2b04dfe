"""Reads a column of time stamps: by the forms of a field, as numbers since the epoch, or in any known form."""

from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import stamp_column
from puppylog.formats.dating import Dating
from puppylog.formats.file.definition import Cell
from puppylog.formats.file.forms import Form, Stamps, read_form
from puppylog.formats.rows import NO_TIME

_EPOCH: Final = r"^(?P<whole>[0-9]{1,19})(?:[.,](?P<fraction>[0-9]{1,9})[0-9]*)?$"
_DIGITS: Final = {"s": 6, "ms": 3, "us": 0, "ns": -3}  # how many digits of microseconds one unit has

_NULL_US = pa.scalar(None, pa.int64())


def read_stamps(stamps: pa.Array, cell: Cell, dating: Dating) -> Stamps:
    """Return the times of stamps; a stamp that is empty or a dash has the time NO_TIME.

    Args:
        stamps: strings without nulls.
        cell: the field: its forms, its unit and its zone.
        dating: what the stamps before have shown; is updated.
    """
    trimmed = pc.ascii_trim_whitespace(stamps)
    if cell.table.unit == "hex":
        found = _read_hexadecimal(trimmed)
    elif cell.table.unit is not None:
        found = _read_epoch(trimmed, cell.table.unit)
    elif cell.forms:
        found = _read_forms(trimmed, cell.forms, dating)
    else:
        found = _read_any(trimmed, dating)
    if found.us.null_count:
        is_absent = pc.is_in(trimmed, value_set=pa.array(["", "-"]))
        us = pc.if_else(is_absent, pa.scalar(NO_TIME, pa.int64()), found.us)
        is_local, is_out = (pc.and_not(flags, is_absent) for flags in (found.is_local, found.is_out_of_range))
        found = replace(found, us=us, is_local=is_local, is_out_of_range=is_out)
    if cell.table.zone:
        found = _in_zone(found, cell.table.zone)
    return found


def _read_forms(stamps: pa.Array, forms: tuple[Form, ...], dating: Dating) -> Stamps:
    """Return the times of stamps, each of the first form that fits."""
    found = read_form(stamps, forms[0], dating)
    for form in forms[1:]:
        left = found.us.is_null()
        if not pc.any(left).as_py():
            break
        found = _fill(found, left, read_form(stamps.filter(left), form, dating))
    return found


def _read_any(texts: pa.Array, dating: Dating) -> Stamps:
    found = stamp_column.read_stamps(texts, dating)
    us = pc.if_else(pc.equal(found.ts_us, pa.scalar(NO_TIME, pa.int64())), _NULL_US, found.ts_us)
    stamps = Stamps(us, found.is_local.cast(pa.bool_()), pa.repeat(False, len(texts)), found.zone_names)
    return _in_named_zones(stamps, found.zone_names)


def _in_named_zones(found: Stamps, names: pa.Array) -> Stamps:
    """Return the stamps with local times read in the zones that they name in full, such as ``Europe/Berlin``."""
    for name in pc.unique(names.filter(names.is_valid())).to_pylist():
        if "/" not in name or not _is_zone(name):
            continue
        named = pc.equal(names, name).fill_null(False)
        alone = Stamps(found.us.filter(named), found.is_local.filter(named), found.is_out_of_range.filter(named))
        unnamed = pc.if_else(named, pa.scalar(None, pa.string()), found.zone_names)
        found = replace(_fill(found, named, _in_zone(alone, name)), zone_names=unnamed)
    return found


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _fill(found: Stamps, left: pa.Array, others: Stamps) -> Stamps:
    """Return ``found`` with the values of ``others`` where ``left`` is true."""
    names = found.zone_names
    if others.zone_names is not None:
        before = names if names is not None else pa.nulls(len(left), pa.string())
        names = pc.replace_with_mask(before, left, others.zone_names)
    return Stamps(
        pc.replace_with_mask(found.us, left, others.us),
        pc.replace_with_mask(found.is_local, left, others.is_local),
        pc.replace_with_mask(found.is_out_of_range, left, others.is_out_of_range),
        names,
    )


def _read_epoch(stamps: pa.Array, unit: str) -> Stamps:
    """Return the times of numbers since the epoch."""
    found = pc.extract_regex(stamps, _EPOCH)
    whole, fraction = (pc.struct_field(found, name) for name in ("whole", "fraction"))
    digits = _DIGITS[unit]
    if digits < 0:
        written = pc.utf8_slice_codeunits(whole, 0, digits)
    elif digits:
        written = pc.binary_join_element_wise(
            whole, pc.utf8_slice_codeunits(pc.ascii_rpad(fraction, digits, "0"), 0, digits), ""
        )
    else:
        written = whole
    in_range = pc.and_(pc.less_equal(pc.binary_length(written), 18), found.is_valid())
    us = pc.if_else(in_range, pc.if_else(pc.equal(written, ""), "0", written), None).cast(pa.int64())
    return Stamps(us, pa.repeat(False, len(stamps)), pc.and_not(found.is_valid(), in_range.fill_null(False)))


def _read_hexadecimal(stamps: pa.Array) -> Stamps:
    """Return the times of eight hexadecimal digits: seconds since the epoch."""
    is_number = pc.match_substring_regex(stamps, "^[0-9A-Fa-f]{8}$")
    texts = zip(stamps.to_pylist(), is_number.to_pylist(), strict=True)
    us = pa.array([int(text, 16) * 1_000_000 if fits else None for text, fits in texts], pa.int64())
    nothing = pa.repeat(False, len(stamps))
    return Stamps(us, nothing, nothing)


def _in_zone(found: Stamps, zone: str) -> Stamps:
    """Return the stamps with local times read in a zone: the zone of the format, not of the log."""
    has_time = pc.and_(found.is_local, pc.not_equal(found.us, pa.scalar(NO_TIME, pa.int64())).fill_null(False))
    wall = pc.if_else(has_time, found.us, 0).view(pa.timestamp("us"))
    instants = pc.assume_timezone(wall, zone, ambiguous="earliest", nonexistent="earliest").view(pa.int64())
    us = pc.if_else(has_time, instants, found.us)
    return replace(found, us=us, is_local=pa.repeat(False, len(us)))
