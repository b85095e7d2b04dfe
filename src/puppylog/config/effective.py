"""What is in effect: the value of every key, and where it is from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from puppylog.config import tables
from puppylog.config.contact_tables import TITLE, list_contact_tables
from puppylog.config.documents import Document, read_documents
from puppylog.config.faults import Faults
from puppylog.config.schema import default_text
from puppylog.config.table import Table, find_entry
from puppylog.settings import KEYS
from puppylog.stores.connect import name_store

DEFAULT: Final = "default"
HIDDEN: Final = "(not shown)"


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """The value of one key."""

    table: str  # such as "alert"; empty for a key before the first table
    entry: str  # the name of the entry or its number; empty for a table that stands once
    key: str
    value: Any  # as TOML has it; None if a key has no value
    origin: str  # "flag", "environment", "default", or the path of a file


def list_effective(
    paths: Sequence[Path], given: Mapping[str, object], origins: Mapping[str, str], defaults: Mapping[str, object]
) -> list[EffectiveValue]:
    """Return the values of all keys, in the order of their declaration.

    Args:
        paths: the files. They have been checked.
        given: the values of flags and variables by key.
        origins: "flag" or "environment", by the keys of ``given``.
        defaults: the values of the settings that no flag, variable or file gives.
    """
    documents = read_documents(paths, Faults())
    settings = (_find_setting(key, documents, given, origins, defaults) for key in KEYS)
    listed = (value for kind in tables.LISTED for value in _iter_listed(kind, documents))
    contacts = _iter_contacts(documents)
    single = (value for kind in tables.SINGLE for value in _iter_single(kind, documents))
    return [*settings, *listed, *contacts, *single]


def _find_setting(
    key: str,
    documents: Sequence[Document],
    given: Mapping[str, object],
    origins: Mapping[str, str],
    defaults: Mapping[str, object],
) -> EffectiveValue:
    value, origin = defaults.get(key), DEFAULT
    for document in documents:  # the last file counts
        if key in document.values:
            value, origin = document.values[key], str(document.path)
    if key in given:
        value, origin = given[key], origins[key]
    if key == "store":
        value = name_store(str(value))  # a password is not shown
    return EffectiveValue("", "", key, value, origin)


def _iter_listed(kind: type[Table], documents: Sequence[Document]) -> Iterator[EffectiveValue]:
    for document in documents:
        for number, entry in enumerate(find_entry(document.values, kind.title) or [], 1):
            yield from _iter_keys(kind, entry, str(entry.get("name", number)), document)


def _iter_contacts(documents: Sequence[Document]) -> Iterator[EffectiveValue]:
    """Yield the keys of contacts. A value that may hold a secret is not shown."""
    for document in documents:
        for entry in document.values.get(TITLE, []):
            declared = list_contact_tables()[entry["type"]]
            shown = {key: HIDDEN if key in declared.secrets else value for key, value in entry.items()}
            yield from _iter_keys(declared.table, shown, str(entry["name"]), document)


def _iter_single(kind: type[Table], documents: Sequence[Document]) -> Iterator[EffectiveValue]:
    for document in documents:
        entry = find_entry(document.values, kind.title)
        if entry is not None:
            yield from _iter_keys(kind, entry, "", document)


def _iter_keys(kind: type[Table], entry: Mapping[str, Any], name: str, document: Document) -> Iterator[EffectiveValue]:
    for field in msgspec.structs.fields(kind):
        key = field.encode_name
        if key in entry:
            yield EffectiveValue(kind.title, name, key, entry[key], str(document.path))
            continue
        default = default_text(field)
        if default is None and field.default is not msgspec.NODEFAULT:
            default = field.default
        yield EffectiveValue(kind.title, name, key, default, DEFAULT)
