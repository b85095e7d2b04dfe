"""The keys of a format file, as types."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta

Name: TypeAlias = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]*$", max_length=40)]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]

Type: TypeAlias = Literal[
    "time",
    "text",
    "integer",
    "number",
    "bytes",
    "duration",
    "severity",
    "host",
    "request",
    "quoted",
    "pairs",
    "json",
    "journal",
]
Unit: TypeAlias = Literal["s", "ms", "us", "ns", "hex"]


class FieldTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table ``[fields.NAME]``: what the group, or the key of pairs, with this name means."""

    type: Type | None = None
    """How the text is read. Default: by the column, and a number for a text that is a number."""
    column: str = ""
    """The column that the field fills, or ``attributes``. Default: by the name of the field."""
    name: Text | None = None
    """The key of the attribute, if the field fills no column. Default: the name of the field."""
    form: str | list[str] = []
    """Of type ``time``: the directives of strftime, or several forms that are tried in order."""
    zone: str = ""
    """Of type ``time``: the time zone of stamps that name none. Default: ``--tz``."""
    unit: Unit | None = None
    """Of types ``time`` and ``duration``: the unit of a number. Of type ``time``, ``hex``: hexadecimal seconds."""
    groups: list[Text] = []
    """Names of groups that make up the field: their texts with a blank between them."""
    separator: str = ""
    """Of type ``pairs``: what stands between two pairs. Default: blanks. ``key``: a value ends before the next key."""


class SampleTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table ``[[samples]]``: lines, and what they become. Exactly one of the last four keys must be given."""

    line: Text
    """One or more lines."""
    record: Mapping[str, Any] | None = None
    """The columns of the record, without those that are null."""
    records: list[Mapping[str, Any]] | None = None
    """The same, for lines that become several records."""
    rejected: str | None = None
    """The reason why the line is rejected."""
    rowless: bool | None = None
    """Whether the line is a directive or a comment."""
    year: Annotated[int, Meta(ge=1970, le=9998)] = 2026
    """The year of stamps without a year."""
    note: str = ""
    """What the sample shows."""


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A format file."""

    name: Name
    """What the user writes after ``--format``."""
    title: Text
    """What the format reads, for people."""
    url: str = ""
    """Where the format is described."""
    pattern: Text | None = None
    """A regular expression (RE2) with named groups."""
    patterns: Annotated[list[Text], Meta(min_length=1)] | None = None
    """Several expressions, which are tried in this order."""
    log_format: Text | None = None
    """A log_format of nginx or a LogFormat of Apache, in place of a pattern."""
    begins: Text | None = None
    """A regular expression: a line that does not match it continues the record before."""
    not_after: Text | None = None
    """A regular expression: the line after a line that matches it begins no record, even if ``begins`` matches it."""
    skip: Text | None = None
    """A regular expression: a line that matches it, such as a comment, makes no record."""
    auto: bool = True
    """Whether ``--format auto`` tries the format."""
    fields: Mapping[str, FieldTable] = {}
    severity: Mapping[str, str] = {}
    """The words of the scale for the format's own notation."""
    constants: Mapping[str, str | int | float | bool] = {}
    """Values of columns and attributes that are the same in every record."""
    samples: list[SampleTable] = []


TYPES: Final[tuple[str, ...]] = get_args(Type)
UNITS: Final[tuple[str, ...]] = get_args(Unit)
