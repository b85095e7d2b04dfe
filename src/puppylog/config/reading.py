"""Turns the tables of the files into values, and finds all faults."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import inspect

from puppylog.config.contact_tables import TITLE, list_contact_tables
from puppylog.config.contacts import ContactConfig, find_written_secret, read_contact
from puppylog.config.definitions import check_together, read_alert, read_metric
from puppylog.config.documents import Document, read_documents
from puppylog.config.faults import Faults, Location
from puppylog.config.keeping import read_retention, read_silence
from puppylog.config.kinds import KINDS, decode
from puppylog.config.listen import read_listen, read_loki_format, read_syslog
from puppylog.config.listen_tables import ListenTable, LokiTable, SyslogTable
from puppylog.config.sources import read_source
from puppylog.config.table import Table, find_entry
from puppylog.config.tables import (
    LISTED,
    SINGLE,
    AlertTable,
    MetricTable,
    RetentionTable,
    SilenceTable,
    SourceTable,
)
from puppylog.config.values import Configuration
from puppylog.errors import ConfigurationError
from puppylog.settings import KEYS, describe_unknown, find_faults

T = TypeVar("T", bound=Table)


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """A table of a file whose values have the right types."""

    location: Location
    table: T
    given: frozenset[str]  # the keys that were written


def read_configuration(paths: Sequence[Path]) -> Configuration:
    """Return what the tables of the files say.

    Args:
        paths: the files; those that they include are read, too.

    Raises:
        ConfigurationError: a file cannot be read, or has a fault; the message has the first one.
    """
    configuration, faults = check_configuration(paths)
    Faults(list(faults)).check()
    return configuration


def check_configuration(paths: Sequence[Path]) -> tuple[Configuration, Sequence[ConfigurationError]]:
    """Return what the tables of the files say, without the tables that have a fault, and all faults.

    Args:
        paths: the files; those that they include are read, too.
    """
    faults = Faults()
    documents = read_documents(paths, faults)
    for document in documents:
        _check_names(document, faults)
    sources = [
        read_source(written.table, written.location, faults) for written in _iter_tables(documents, SourceTable, faults)
    ]
    metrics = [
        read_metric(written.table, written.location, written.given, faults)
        for written in _iter_tables(documents, MetricTable, faults)
    ]
    alerts = [
        read_alert(written.table, written.location, faults) for written in _iter_tables(documents, AlertTable, faults)
    ]
    contacts = _read_contacts(documents, faults)
    silences = [
        read_silence(written.table, written.location, faults)
        for written in _iter_tables(documents, SilenceTable, faults)
    ]
    retentions = [
        read_retention(written.table, written.location, faults)
        for written in _iter_single(documents, RetentionTable, faults)
    ]
    syslog = [
        read_syslog(written.table, written.location, faults) for written in _iter_tables(documents, SyslogTable, faults)
    ]
    loki_formats = [
        read_loki_format(written.table, written.location, faults)
        for written in _iter_single(documents, LokiTable, faults)
    ]
    loki_format = next(iter(loki_formats), None)
    receivers = [receiver for receiver in syslog if receiver is not None]
    listens = [
        read_listen(written.table, receivers, loki_format, written.location, faults)
        for written in _iter_single(documents, ListenTable, faults)
    ]
    configuration = Configuration(
        files=tuple(document.path for document in documents),
        sources=tuple(source for source in sources if source is not None),
        metrics=tuple(metric for metric in metrics if metric is not None),
        alerts=tuple(alert for alert in alerts if alert is not None),
        contacts=tuple(contacts),
        silences=tuple(silence for silence in silences if silence is not None),
        retention=next((retention for retention in retentions if retention is not None), None),
        listen=next((listen for listen in listens if listen is not None), None),
    )
    check_together(configuration.metrics, configuration.alerts, faults)
    return configuration, faults.found


def _check_names(document: Document, faults: Faults) -> None:
    """Note unknown names at the top of a file, and settings in a file that is included."""
    faults.found.extend(find_faults(document.path, document.values))
    if document.is_included:
        for key in KEYS.keys() & document.values.keys():
            faults.add(Location(document.path), f"{key} belongs in the file that includes this one")


def _iter_tables(documents: Sequence[Document], kind: type[T], faults: Faults) -> Iterator[Written[T]]:
    """Yield the entries of one kind, of all files. An entry with a fault is left out."""
    for location, entry in _iter_entries(documents, kind.title, faults):
        table = read_table(kind, entry, location, faults)
        if table is not None:
            yield Written(location, table, frozenset(entry))


def _iter_entries(
    documents: Sequence[Document], title: str, faults: Faults
) -> Iterator[tuple[Location, dict[str, Any]]]:
    """Yield the entries of the tables ``[[title]]`` of all files. An entry with the name of another is left out."""
    locations: dict[str, str] = {}  # by name, where it stands
    for document in documents:
        entries = find_entry(document.values, title)
        if entries is None:
            continue
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            faults.add(Location(document.path), f"{title} must be written as [[{title}]]")
            continue
        for number, entry in enumerate(entries, 1):
            name = entry.get("name")
            location = Location(document.path, title, f'"{name}"' if isinstance(name, str) else str(number))
            if isinstance(name, str) and name in locations:
                faults.add(location, f"the name is used twice: here as number {number}, and as {locations[name]}")
                continue
            if isinstance(name, str):
                locations[name] = f"number {number} of {document.path}"
            yield location, entry


def _read_contacts(documents: Sequence[Document], faults: Faults) -> list[ContactConfig]:
    contacts: list[ContactConfig] = []
    for location, entry in _iter_entries(documents, TITLE, faults):
        types = list_contact_tables()
        type_ = entry.get("type")
        if not isinstance(type_, str) or type_ not in types:
            cause = "type is missing" if type_ is None else describe_unknown(str(type_), types, "type")
            faults.add(location, cause, "" if type_ is not None else f"known are {', '.join(types)}")
            continue
        declared = types[type_]
        secret = find_written_secret(entry, declared)
        if secret is not None:
            advice = f"name a file with {secret}_file, or a variable with {secret}_env"
            faults.add(location, f"{secret} is a secret, which does not belong in this file", advice)
        others = {key: value for key, value in entry.items() if key != secret}
        table = read_table(declared.table, others, location, faults)
        contact = None if table is None or secret is not None else read_contact(declared, table, location, faults)
        if contact is not None:
            contacts.append(contact)
    return contacts


def _iter_single(documents: Sequence[Document], kind: type[T], faults: Faults) -> Iterator[Written[T]]:
    """Yield the table of one kind, of all files. It may stand once."""
    first: Path | None = None
    for document in documents:
        entry = find_entry(document.values, kind.title)
        if entry is None:
            continue
        location = Location(document.path, kind.title)
        if not isinstance(entry, dict):
            faults.add(Location(document.path), f"{kind.title} must be written as [{kind.title}]")
        elif first is not None:
            faults.add(location, f"the table is given twice: here and in {first}")
        elif (table := read_table(kind, _without_tables(kind, entry), location, faults)) is not None:
            yield Written(location, table, frozenset(entry))
        first = first or document.path


def _without_tables(kind: type[Table], entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry without the tables within it, which are read by themselves."""
    prefix = f"{kind.title}."
    inner = {other.title.removeprefix(prefix) for other in (*LISTED, *SINGLE) if other.title.startswith(prefix)}
    return {key: value for key, value in entry.items() if key not in inner}


def read_table(kind: type[T], entry: dict[str, Any], location: Location, faults: Faults) -> T | None:
    """Return the values of a table. Return None after its faults were noted."""
    before = len(faults.found)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in fields:
            faults.add(location, describe_unknown(key, fields))
            continue
        try:
            values[fields[key].name] = msgspec.convert(value, fields[key].type, dec_hook=decode)
        except msgspec.ValidationError as error:
            faults.add(location, _describe_invalid(key, value, fields[key].type, error))
    for key, field in fields.items():
        if field.required and key not in entry:
            faults.add(location, f"{key} is missing")
    return kind(**values) if len(faults.found) == before else None


def _describe_invalid(key: str, value: object, type_: type, error: msgspec.ValidationError) -> str:
    if isinstance(error.__cause__, ValueError):  # of `decode`, which names the value
        return f"{key}: {error.__cause__}"
    return f"{key} must be {describe_type(inspect.type_info(type_))}, not {show_value(value)}"


def show_value(value: object) -> str:
    """Return a value as the file has it."""
    match value:
        case bool():
            return str(value).lower()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return repr(value)


def describe_type(info: inspect.Type) -> str:
    """Return what a value of a type is, for people: "a string"."""
    if isinstance(info, inspect.Metadata):
        return describe_type(info.type)
    if isinstance(info, inspect.UnionType):
        return describe_type(next(inner for inner in info.types if not isinstance(inner, inspect.NoneType)))
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _describe_number(info)
    if isinstance(info, inspect.LiteralType | inspect.EnumType):
        choices = info.values if isinstance(info, inspect.LiteralType) else [choice.value for choice in info.cls]
        return f"one of {', '.join(map(str, choices))}"
    if isinstance(info, inspect.CustomType) and info.cls in KINDS:
        return str(info.cls.form)
    is_filled = isinstance(info, inspect.VarTupleType) and info.min_length
    return "a list of at least one string" if is_filled else _FORMS.get(type(info), "a string that is not empty")


_FORMS: Final[Mapping[type[inspect.Type], str]] = {
    inspect.BoolType: "true or false",
    inspect.VarTupleType: "a list of strings",
    inspect.DictType: "a table",
    inspect.DateTimeType: "a time with an offset, such as 2026-01-31T09:00:00Z",
}


def _describe_number(info: inspect.IntType | inspect.FloatType) -> str:
    kind = "a whole number" if isinstance(info, inspect.IntType) else "a number"
    if info.ge is not None and info.le is not None:
        return f"{kind} from {info.ge} to {info.le}"
    return f"{kind} of at least {info.ge:g}" if info.ge is not None else kind
