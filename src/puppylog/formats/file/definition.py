"""Compiles a format file: what each group of its patterns fills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from puppylog.errors import FormatError, UsageError
from puppylog.formats.file.beginnings import Head
from puppylog.formats.file.document import Document, FieldTable
from puppylog.formats.file.forms import Form, compile_form
from puppylog.formats.file.reading import FileText, read_document
from puppylog.formats.file.rest import Split
from puppylog.formats.layout.layout import Layout, compile_layout, parse_written
from puppylog.formats.regex.fields import REQUEST, TIME, assign_fields
from puppylog.formats.regex.pattern import Pattern, find_fault, parse_pattern
from puppylog.model.record import RECORDS
from puppylog.model.severity import SCALE

ATTRIBUTES: Final = "attributes"

_COLUMNS: Final = (*(name for name in RECORDS.names if name != "line_offset"), REQUEST)
_FOR_TYPE: Final = {"time": TIME, "severity": "severity", "host": "host", "request": REQUEST}
_TYPE_OF: Final = {
    TIME: "time",
    "severity": "severity",
    "host": "host",
    REQUEST: "request",
    "status_code": "integer",
    "response_bytes": "bytes",
}
_NEEDED: Final = {TIME: {"time"}, "status_code": {"integer"}, "response_bytes": {"integer", "bytes"}}
_CONTAINERS: Final = frozenset({"pairs", "json", "journal"})
_OF_TYPES: Final = {
    "form": {"time"},
    "zone": {"time"},
    "unit": {"time", "duration"},
    "separator": {"pairs"},
}
_EVERY_GROUP = "(?s)"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one field becomes."""

    name: str  # of the group, or of the key in a field of type ``pairs``
    type: str  # a word of `document.TYPES`, or empty: a text, or a number in an attribute
    column: str  # a column, REQUEST, or ATTRIBUTES
    key: str  # of the attribute
    table: FieldTable
    forms: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True)
class FilePattern:
    """A pattern of a format file."""

    regex: str
    names: tuple[str, ...]  # of the groups
    cells: tuple[Cell, ...]
    split: Split | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A format file, compiled."""

    name: str
    title: str
    source: str  # the name of the file, for people
    document: Document
    patterns: tuple[FilePattern, ...]
    cells: Mapping[str, Cell]  # of the tables ``[fields.NAME]``, for keys of pairs
    begins: str | None
    skip: str | None
    not_after: str | None = None
    layout: Layout | None = None
    heads: tuple[Head, ...] | None = None
    """Expressions of which one matches the first line of every record; none if `auto` does not try the format, and
    None if only reading lines shows whether they are of the format."""
    text: FileText = field(default_factory=lambda: FileText(""), compare=False)


def read_definition(path: Path | Traversable) -> Definition:
    """Return what a format file defines.

    Raises:
        UsageError: the file cannot be read.
        ConfigurationError: the file has a fault.
    """
    document, text = read_document(path)
    _check_keys(document, text)
    begins = _check_regex(text, "begins", document.begins)
    not_after = _check_regex(text, "not_after", document.not_after)
    skip = _check_regex(text, "skip", document.skip)
    layout = None if document.log_format is None else _compile_layout(text, document.log_format)
    by_name = {name: _make_cells(text, document, [name])[0] for name in document.fields}
    prefix = _EVERY_GROUP if begins is not None else ""
    patterns = tuple(
        _compile_pattern(text, document, key, prefix + written)
        for key, written in _list_patterns(document)
        if layout is None
    )
    if layout is None:
        _check_groups(document, text, patterns)
    expressions = [begins] if begins is not None else [pattern.regex for pattern in patterns]
    heads = tuple(map(Head.of, expressions)) if document.auto else ()
    return Definition(
        document.name,
        document.title,
        text.source,
        document,
        patterns,
        by_name,
        begins,
        skip,
        not_after,
        layout,
        None if layout is not None and document.auto else heads,
        text,
    )


def _list_patterns(document: Document) -> list[tuple[str, str]]:
    if document.pattern is not None:
        return [("pattern", document.pattern)]
    return [(f"patterns[{number}]", written) for number, written in enumerate(document.patterns or ())]


def _check_keys(document: Document, text: FileText) -> None:
    given = [key for key in ("pattern", "patterns", "log_format") if getattr(document, key) is not None]
    if len(given) != 1:
        cause = f"only one of {' and '.join(given)} may be given" if given else "pattern is missing"
        raise text.make_error(given[1] if given else "", cause)
    if document.log_format is not None:
        for key in ("begins", "not_after", "skip", "fields", "severity", "constants"):
            if getattr(document, key):
                raise text.make_error(key, "a format with log_format takes no such key")
    _check_words(document, text)
    _check_samples(document, text)


def _check_words(document: Document, text: FileText) -> None:
    for notation, word in document.severity.items():
        if word not in SCALE:
            raise text.make_error(f"severity.{notation}", f"{word!r} is none of {', '.join(SCALE)}")
    for column in document.constants:
        if column in {TIME, "line_offset", ATTRIBUTES}:
            raise text.make_error(f"constants.{column}", "a constant cannot fill this column")
    severity = document.constants.get("severity", SCALE[0])
    if severity not in SCALE:
        raise text.make_error("constants.severity", f"{severity!r} is none of {', '.join(SCALE)}")


def _check_samples(document: Document, text: FileText) -> None:
    for number, sample in enumerate(document.samples):
        outcomes = [sample.record, sample.records, sample.rejected, sample.rowless]
        if sum(outcome is not None for outcome in outcomes) != 1:
            cause = "exactly one of record, records, rejected and rowless must be given"
            raise text.make_error(f"samples[{number}]", cause)


def _check_groups(document: Document, text: FileText, patterns: Sequence[FilePattern]) -> None:
    """Refuse tables of fields that no pattern has, unless they may be keys of pairs."""
    groups = {name for pattern in patterns for name in pattern.names}
    has_pairs = any(cell.type in _CONTAINERS for pattern in patterns for cell in pattern.cells)
    for name, table in document.fields.items():
        for wanted in table.groups:
            if wanted not in groups:
                raise text.make_error(f"fields.{name}.groups", f"no pattern has a group {wanted!r}")
        if name not in groups and not table.groups and not has_pairs:
            raise text.make_error(f"fields.{name}", f"no pattern has a group {name!r}")


def _check_regex(text: FileText, key: str, written: str | None) -> str | None:
    cause = "" if written is None else find_fault(written)
    if cause:
        raise text.make_error(key, cause)
    return written


def _compile_layout(text: FileText, written: str) -> Layout:
    try:
        return compile_layout(parse_written(written))
    except FormatError as error:
        raise text.make_error("log_format", error.cause) from None
    except UsageError as error:
        raise text.make_error("log_format", error.cause or error.message) from None


def _compile_pattern(text: FileText, document: Document, key: str, written: str) -> FilePattern:
    try:
        pattern: Pattern = parse_pattern(written)
    except UsageError as error:
        raise text.make_error(key, error.cause) from None
    joined = {
        name: table.groups
        for name, table in document.fields.items()
        if table.groups and set(table.groups) <= {*pattern.names}
    }
    used = {group for groups in joined.values() for group in groups}
    names = [*(name for name in pattern.names if name not in used), *(name for name in joined)]
    return FilePattern(pattern.regex, pattern.names, tuple(_make_cells(text, document, names)), Split.of(pattern.regex))


def _make_cells(text: FileText, document: Document, names: Sequence[str]) -> list[Cell]:
    """Return what the fields with these names become. If several fields name one column, one of them fills it."""
    tables = {name: document.fields.get(name, FieldTable()) for name in names}
    column_of: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name, table in tables.items():
        if table.column:
            _check_column(text, name, table)
            column_of[name] = table.column
            if table.column != ATTRIBUTES and taken.setdefault(table.column, name) != name:
                raise text.make_error(f"fields.{name}.column", f"{taken[table.column]} fills this column, too")
    for name, table in tables.items():
        column = _FOR_TYPE.get(table.type or "")
        if name not in column_of and column is not None and column not in taken:
            column_of[name], taken[column] = column, name
    for column, name in assign_fields([name for name in names if name not in column_of]).items():
        type_ = tables[name].type
        fits = type_ is None or (type_ not in {*_CONTAINERS, "duration"} and type_ in _NEEDED.get(column, {type_}))
        if column not in taken and fits:
            column_of[name] = column
    return [_make_cell(text, name, table, column_of.get(name, ATTRIBUTES)) for name, table in tables.items()]


def _check_column(text: FileText, name: str, table: FieldTable) -> None:
    if table.column not in _COLUMNS:
        raise text.make_error(f"fields.{name}.column", f"there is no column {table.column!r}")
    needed = _NEEDED.get(table.column)
    if needed is not None and table.type is not None and table.type not in needed:
        raise text.make_error(f"fields.{name}.type", f"the column {table.column} takes {' or '.join(sorted(needed))}")


def _make_cell(text: FileText, name: str, table: FieldTable, column: str) -> Cell:
    type_ = table.type or _TYPE_OF.get(column, "")
    for key, types in _OF_TYPES.items():
        if getattr(table, key) and type_ not in types:
            raise text.make_error(f"fields.{name}.{key}", f"only a field of type {' or '.join(sorted(types))} takes it")
    if table.zone:
        try:
            ZoneInfo(table.zone)
        except (OSError, ValueError, KeyError):
            raise text.make_error(f"fields.{name}.zone", f"there is no time zone {table.zone!r}") from None
    if table.unit == "hex" and type_ != "time":
        raise text.make_error(f"fields.{name}.unit", "only a field of type time takes hexadecimal seconds")
    forms = [table.form] if isinstance(table.form, str) else table.form
    compiled = []
    for form in forms:
        try:
            compiled.append(compile_form(form))
        except ValueError as error:
            raise text.make_error(f"fields.{name}.form", str(error)) from None
    if compiled and table.unit:
        raise text.make_error(f"fields.{name}.unit", "a time with a form takes no unit")
    return Cell(name, type_, column, table.name or name, table, tuple(compiled))
