"""Tries the patterns of a format on the records of a text, and makes rows of the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.calendar import Calendar
from puppylog.formats.file.definition import Cell, Definition
from puppylog.formats.file.fields import Fields
from puppylog.formats.file.forms import Stamps
from puppylog.formats.file.heads import Records
from puppylog.formats.file.times import read_stamps
from puppylog.formats.quoting import quote
from puppylog.formats.rows import FILLED, NO_TIME, Rows
from puppylog.model.record import RECORDS

_NO_TIME: Final = pa.scalar(NO_TIME, pa.int64())


@dataclass(frozen=True, slots=True)
class Matched:
    """The records that one pattern matches."""

    places: pa.Array  # int64: the numbers of the records
    fields: Fields


def read_records(records: Records, definition: Definition, calendar: Calendar) -> Rows:
    """Return the rows of records.

    Args:
        records: the records of a text.
        definition: the format.
        calendar: gives the year of stamps without a year, and is updated.
    """
    count = len(records.texts)
    everything = pa.array(range(count), pa.int64())
    heads = everything.filter(records.is_head)
    matched, unmatched = _match(records.texts, heads, definition)
    alone = everything.filter(pc.invert(records.is_head))
    groups = [*matched, Matched(alone, _as_messages(records.texts.take(alone), definition))] if len(alone) else matched
    places = pa.concat_arrays([pa.array([], pa.int64()), *(group.places for group in groups)])
    order = None if len(groups) == 1 else pc.sort_indices(places)
    columns = {name: _assemble(groups, name, order) for name in FILLED if name != "attributes"}
    columns["attributes"] = _in_order([_build_attributes(group) for group in groups], order, pa.string())
    times, reasons = _read_times(groups, order, definition, calendar)
    places = places if order is None else places.take(order)
    fits = reasons.is_null()
    wrong = pa.concat_arrays([places.filter(pc.invert(fits)), unmatched])
    why = pa.concat_arrays(
        [reasons.filter(pc.invert(fits)), pa.repeat(f"does not match the format {definition.name}", len(unmatched))]
    )
    by_place = pc.sort_indices(wrong)
    wrong = wrong.take(by_place)
    return Rows(
        records.starts.take(places).filter(fits),
        times.us.filter(fits),
        times.is_local.filter(fits),
        {name: column.filter(fits) for name, column in columns.items()},
        records.starts.take(wrong),
        records.ends.take(wrong),
        why.take(by_place),
        records.rowless,
        records.joined,
        len(alone),
        records.joined_runs,
    )


def _match(texts: pa.Array, left: pa.Array, definition: Definition) -> tuple[list[Matched], pa.Array]:
    """Return the records that each pattern matches, and the numbers of those that none matches."""
    matched: list[Matched] = []
    for pattern in definition.patterns:
        if not len(left):
            break
        found = pc.extract_regex(texts if len(left) == len(texts) else texts.take(left), pattern.regex)
        is_match = found.is_valid()
        places = left.filter(is_match)
        if not len(places):
            continue
        found = found.filter(is_match)
        fields = Fields(definition, len(places))
        fields.read({name: pc.struct_field(found, name) for name in pattern.names}, pattern.cells)
        matched.append(Matched(places, fields))
        left = left.filter(pc.invert(is_match))
    return matched, left


def _as_messages(texts: pa.Array, definition: Definition) -> Fields:
    """Return records whose lines are their messages: continuation lines without a record before them."""
    fields = Fields(definition, len(texts))
    fields.columns["message"] = texts
    return fields


def _assemble(groups: Sequence[Matched], name: str, order: pa.Array | None) -> pa.Array:
    kind = RECORDS.field(name).type
    if all(name not in group.fields.columns for group in groups):
        return pa.nulls(sum(len(group.places) for group in groups), kind)
    parts = [group.fields.columns.get(name, pa.nulls(len(group.places), kind)) for group in groups]
    return _in_order(parts, order, kind)


def _in_order(parts: Sequence[pa.Array], order: pa.Array | None, kind: pa.DataType) -> pa.Array:
    """Return the values of all groups in the order of the records."""
    if len(parts) == 1:
        return parts[0]
    joined = pa.concat_arrays([pa.array([], kind), *parts])
    return joined if order is None else joined.take(order)


def _build_attributes(group: Matched) -> pa.Array:
    """Return the JSON objects of the attributes; null for a record without attributes."""
    contents = [
        pc.binary_join_element_wise(f"{quote(key)}: ", values, "") for key, values in group.fields.members.items()
    ]
    contents += [column for column in group.fields.objects if column.null_count < len(column)]
    if not contents:
        return pa.nulls(len(group.places), pa.string())
    joined = contents[0] if len(contents) == 1 else pc.binary_join_element_wise(*contents, ", ", null_handling="skip")
    if len(contents) > 1:
        joined = pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)
    return pc.binary_join_element_wise("{", joined, "}", "")


def _read_times(
    groups: Sequence[Matched], order: pa.Array | None, definition: Definition, calendar: Calendar
) -> tuple[Stamps, pa.Array]:
    """Return the times of all records, and for each record the reason why its time cannot be read, or null."""
    numbers = _in_order(
        [pa.repeat(pa.scalar(number, pa.int64()), len(group.places)) for number, group in enumerate(groups)],
        order,
        pa.int64(),
    )
    stamps = _in_order([_stamps_of(group) for group in groups], order, pa.string())
    us, is_local = pa.repeat(_NO_TIME, len(numbers)), pa.repeat(False, len(numbers))
    reasons = pa.nulls(len(numbers), pa.string())
    for number, group in enumerate(groups):
        if group.fields.instants is not None:
            of_group = pc.equal(numbers, number)
            us = pc.replace_with_mask(us, of_group, group.fields.instants[0])
            is_local = pc.replace_with_mask(is_local, of_group, group.fields.instants[1])
    for cell in _list_time_cells(groups):
        same = [number for number, group in enumerate(groups) if group.fields.time_cell == cell]
        mask = pc.is_in(numbers, value_set=pa.array(same, pa.int64()))
        found = read_stamps(stamps.filter(mask), cell, calendar)
        wrong = pc.if_else(
            found.is_out_of_range,
            f"{definition.name}: {cell.name} is a time out of range",
            f"{definition.name}: {cell.name} is no time in a known form",
        )
        us = pc.replace_with_mask(us, mask, found.us.fill_null(NO_TIME))
        is_local = pc.replace_with_mask(is_local, mask, found.is_local)
        why = pc.if_else(found.us.is_null(), wrong, pa.scalar(None, pa.string()))
        reasons = pc.replace_with_mask(reasons, mask, why)
    return Stamps(us, is_local, pa.repeat(False, len(us))), reasons


def _list_time_cells(groups: Sequence[Matched]) -> list[Cell]:
    """Return the fields of time, each once."""
    cells: list[Cell] = []
    for group in groups:
        cell = group.fields.time_cell
        if cell is not None and cell not in cells:
            cells.append(cell)
    return cells


def _stamps_of(group: Matched) -> pa.Array:
    stamps = group.fields.stamps
    return pa.nulls(len(group.places), pa.string()) if stamps is None else stamps
