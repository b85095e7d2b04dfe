"""Tries the patterns of a format on the records of a text."""

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.dating import Dating
from puppylog.formats.file.assembly import Matched, Rejected, assemble_rows
from puppylog.formats.file.definition import Definition
from puppylog.formats.file.fields import Fields
from puppylog.formats.file.heads import Records
from puppylog.formats.file.rest import extract
from puppylog.formats.integers import count_up
from puppylog.formats.rows import Rows


def read_records(records: Records, definition: Definition, dating: Dating) -> Rows:
    """Return the rows of records.

    Args:
        records: the records of a text.
        definition: the format.
        dating: what the stamps before have shown; is updated.
    """
    everything = count_up(len(records.texts))
    matched, unmatched = _match(records.texts, everything.filter(records.is_head), definition)
    alone = everything.filter(pc.invert(records.is_head))
    if len(alone):
        matched.append(Matched(alone, _as_messages(records.texts.take(alone), definition)))
    rejected = Rejected(unmatched, f"does not match the format {definition.name}")
    return assemble_rows(records, matched, [rejected], definition.name, dating)


def _match(texts: pa.Array, left: pa.Array, definition: Definition) -> tuple[list[Matched], pa.Array]:
    """Return the records that each pattern matches, and the numbers of those that none matches."""
    matched: list[Matched] = []
    for pattern in definition.patterns:
        if not len(left):
            break
        others = texts if len(left) == len(texts) else texts.take(left)
        is_match, groups = extract(others, pattern.regex, pattern.names, pattern.split)
        places = left.filter(is_match)
        if not len(places):
            continue
        fields = Fields(definition, len(places))
        fields.read(groups, pattern.cells)
        matched.append(Matched(places, fields))
        left = left.filter(pc.invert(is_match))
    return matched, left


def _as_messages(texts: pa.Array, definition: Definition) -> Fields:
    """Return records whose lines are their messages: continuation lines without a record before them."""
    fields = Fields(definition, len(texts))
    fields.columns["message"] = texts
    return fields
