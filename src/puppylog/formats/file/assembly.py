"""Makes the rows of a text of groups of records, each read in its own way, in the order of the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.attributes import quote_json
from puppylog.formats.dating import Dating
from puppylog.formats.file.definition import Cell
from puppylog.formats.file.fields import Fields
from puppylog.formats.file.forms import Stamps
from puppylog.formats.file.heads import Records
from puppylog.formats.file.texts import NULL
from puppylog.formats.file.times import read_stamps
from puppylog.formats.quoting import quote
from puppylog.formats.rows import FILLED, NO_TIME, Rows
from puppylog.model.record import RECORDS

_NO_TIME: Final = pa.scalar(NO_TIME, pa.int64())


@dataclass(frozen=True, slots=True)
class Matched:
    """Records that were read in the same way."""

    places: pa.Array  # int64: the numbers of the records
    fields: Fields


@dataclass(frozen=True, slots=True)
class Rejected:
    """Records that are rejected for the same reason."""

    places: pa.Array  # int64: the numbers of the records
    reason: str


def assemble_rows(
    records: Records,
    groups: Sequence[Matched],
    rejected: Sequence[Rejected],
    name: str,
    dating: Dating,
) -> Rows:
    """Return the rows of records.

    Args:
        records: the records of a text.
        groups: those that were read. A record whose time cannot be read is rejected.
        rejected: those that were not read.
        name: the name of the format, for reasons.
        dating: what the stamps before have shown; is updated.
    """
    places = pa.concat_arrays([pa.array([], pa.int64()), *(group.places for group in groups)])
    order = None if len(groups) == 1 else pc.sort_indices(places)
    columns = {column: _assemble(groups, column, order) for column in FILLED if column != "attributes"}
    attributes = _in_order([_build_attributes(group) for group in groups], order, pa.string())
    times, reasons = _read_times(groups, order, name, dating)
    if times.zone_names is not None:
        attributes = _add_member(attributes, "zone", times.zone_names)
    columns["attributes"] = attributes
    places = places if order is None else places.take(order)
    fits = reasons.is_null()
    wrong = pa.concat_arrays([places.filter(pc.invert(fits)), *(group.places for group in rejected)])
    texts = [pa.repeat(group.reason, len(group.places)) for group in rejected]
    why = pa.concat_arrays([reasons.filter(pc.invert(fits)), *texts])
    by_place = pc.sort_indices(wrong)
    wrong = wrong.take(by_place)
    return Rows(
        records.starts.take(places).filter(fits),
        times.us.filter(fits),
        times.is_local.filter(fits),
        {column: values.filter(fits) for column, values in columns.items()},
        records.starts.take(wrong),
        records.ends.take(wrong),
        why.take(by_place),
        records.rowless,
        records.continued,
        len(records.is_head) - (pc.sum(records.is_head).as_py() or 0),
        records.joined_runs,
        0 if times.zone_names is None else len(times.zone_names) - times.zone_names.null_count,
    )


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
    contents = _write_members(group.fields.members)
    contents += [column for column in group.fields.objects if column.null_count < len(column)]
    if not contents:
        return pa.nulls(len(group.places), pa.string())
    return pc.binary_join_element_wise("{", _join_members(contents), "}", "")


def _write_members(members: Mapping[str, pa.Array]) -> list[pa.Array]:
    """Return texts of members of JSON objects, in their order; null where the value is null.

    Neighbours that every record has become one text: Arrow joins many columns at once faster than one after another.
    """
    contents: list[pa.Array] = []
    pieces: list[str | pa.Array] = []  # of members that every record has
    for key, values in members.items():
        if values.null_count:
            if pieces:
                contents.append(pc.binary_join_element_wise(*pieces, ""))
            contents.append(pc.binary_join_element_wise(f"{quote(key)}: ", values, ""))
            pieces = []
        else:
            pieces += [f"{', ' if pieces else ''}{quote(key)}: ", values]
    return [*contents, pc.binary_join_element_wise(*pieces, "")] if pieces else contents


def _join_members(contents: Sequence[pa.Array]) -> pa.Array:
    """Return the texts of each record with commas between them; null for a record without texts."""
    if len(contents) == 1:
        return contents[0]
    if not all(texts.null_count for texts in contents):  # every record has a text
        return pc.binary_join_element_wise(*contents, ", ", null_handling="skip")
    has_some = pa.repeat(False, len(contents[0]))
    for texts in contents:
        has_some = pc.or_(has_some, texts.is_valid())
    # Arrow leaves out a row whose texts are all null, and returns fewer rows than it was given.
    joined = pc.binary_join_element_wise(*(texts.filter(has_some) for texts in contents), ", ", null_handling="skip")
    return pc.replace_with_mask(pa.nulls(len(has_some), pa.string()), has_some, joined)


def _add_member(objects: pa.Array, key: str, texts: pa.Array) -> pa.Array:
    """Return JSON objects with another member where ``texts`` has a text."""
    member = pc.binary_join_element_wise(f"{quote(key)}: ", quote_json(texts), "}", "")
    added = pc.binary_join_element_wise(pc.utf8_slice_codeunits(objects, 0, -1), member, ", ")
    return pc.coalesce(added, pc.binary_join_element_wise("{", member, ""), objects)


def _read_times(
    groups: Sequence[Matched], order: pa.Array | None, name: str, dating: Dating
) -> tuple[Stamps, pa.Array]:
    """Return the times of all records, and for each record the reason why its time cannot be read, or null."""
    numbers = _in_order(
        [pa.repeat(pa.scalar(number, pa.int64()), len(group.places)) for number, group in enumerate(groups)],
        order,
        pa.int64(),
    )
    stamps = _in_order([_stamps_of(group) for group in groups], order, pa.string())
    us, is_local = pa.repeat(_NO_TIME, len(numbers)), pa.repeat(False, len(numbers))
    reasons, zones = pa.nulls(len(numbers), pa.string()), None
    for number, group in enumerate(groups):
        if group.fields.instants is not None:
            of_group = pc.equal(numbers, number)
            us = pc.replace_with_mask(us, of_group, group.fields.instants[0])
            is_local = pc.replace_with_mask(is_local, of_group, group.fields.instants[1])
    for cell in _list_time_cells(groups):
        same = [number for number, group in enumerate(groups) if group.fields.time_cell == cell]
        mask = pc.is_in(numbers, value_set=pa.array(same, pa.int64()))
        found = read_stamps(stamps.filter(mask), cell, dating)
        wrong = pc.if_else(
            found.is_out_of_range,
            f"{name}: {cell.name} is a time out of range",
            f"{name}: {cell.name} is not a time in a known form",
        )
        us = pc.replace_with_mask(us, mask, found.us.fill_null(NO_TIME))
        is_local = pc.replace_with_mask(is_local, mask, found.is_local)
        reasons = pc.replace_with_mask(reasons, mask, pc.if_else(found.us.is_null(), wrong, NULL))
        if found.zone_names is not None and found.zone_names.null_count < len(found.zone_names):
            zones = pc.replace_with_mask(zones or pa.nulls(len(numbers), pa.string()), mask, found.zone_names)
    return Stamps(us, is_local, pa.repeat(False, len(us)), zones), reasons


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
