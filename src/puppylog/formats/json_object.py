"""Reads a JSON object into columns and attributes. ``native/json_reader.c`` does the same in C."""

from collections.abc import Iterable, Sequence
from typing import Final

from puppylog.formats.bundle import KEYS as BUNDLE_KEYS
from puppylog.formats.fields import Fields, Member, read_fields
from puppylog.formats.json_text import InvalidJson, Item, Number, list_items, read_object
from puppylog.formats.names import NameTable, normalize

_JOURNAL_MESSAGE: Final = "MESSAGE"
_MAX_BYTE: Final = 255

BUNDLE: Final = "a bundle of records"
"""The reason of `InvalidJson` for an object that is a bundle of records: see ``bundle``."""


def read_json_object(text: str, names: NameTable) -> tuple[Fields, Sequence[Member]]:
    """Return the columns and attributes of an object, and its members.

    Args:
        text: the object.
        names: the names of members that fill columns.

    Raises:
        puppylog.formats.json_text.InvalidJson: the text is not an object, or a bundle.
    """
    items, has_invalid_escapes = read_object(text)
    if items and items[0].key in BUNDLE_KEYS and isinstance(items[0].value, list):
        raise InvalidJson(BUNDLE)
    members = _list_members(items, names)
    for member, item in zip(members, items, strict=True):
        if item.key == _JOURNAL_MESSAGE and isinstance(item.value, list) and _are_bytes(item.value):
            member.text = bytes(map(int, item.value)).decode("utf-8", "replace").replace("\0", "\ufffd")
            has_invalid_escapes |= "\ufffd" in member.text
    fields = read_fields(members)
    if has_invalid_escapes:
        fields.attributes.append(("invalid_escape", "true"))
    return fields, members


def _are_bytes(values: list[object]) -> bool:
    return all(isinstance(value, Number) and value.isdigit() and int(value) <= _MAX_BYTE for value in values)


def _list_members(items: Iterable[Item], names: NameTable, prefix: str = "") -> list[Member]:
    members = []
    for item in items:
        path = prefix + normalize(item.key)
        member = Member(item.key, item.json, name=names.find_name(path))
        match item.value:
            case Number() as number:
                member.text, member.is_number = number, True
            case str(text) | [str(text)] if not isinstance(text, Number):  # a header is a list, mostly with one text
                member.text = text
            case dict() if names.holds_names(path):
                member.inner = _list_members(list_items(item.json), names, f"{path}.")
        members.append(member)
    return members
