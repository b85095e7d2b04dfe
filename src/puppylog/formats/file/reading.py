"""Reads a format file, and says what is wrong with it: the file, the line, the key and the cause."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from puppylog.errors import ConfigurationError, UsageError
from puppylog.formats.file.document import TYPES, UNITS, Document, FieldTable

T = TypeVar("T")

_LARGEST: Final = 1 << 20  # bytes; what is larger is not a format file
_PLACE: Final = re.compile(r"(?P<cause>.*?)(?: - at (?:key in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"type": TYPES, "unit": UNITS}
_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_.\"'#*-]+)\s*=")
_QUOTES: Final = re.compile("[\"'\\s]")


class FileText:
    """The text of a format file, which makes errors that name a key and its line."""

    def __init__(self, source: str, text: str = "") -> None:
        self.source = source  # the name of the file, for errors
        self.text = text

    def make_error(self, key: str, cause: str) -> ConfigurationError:
        """Return the error about a key, such as ``fields.time.form``; an empty key means the whole file."""
        line = self.find_line(key)
        place = f"{self.source}, line {line}" if line else self.source
        return ConfigurationError("use", f"format file {place}", f"{key}: {cause}" if key else cause)

    def find_line(self, key: str) -> int:
        """Return the number of the line, from 1, that has a key, or else the header of its table; 0 if none has."""
        table, entries = "", dict[str, int]()
        for number, line in enumerate(self.text.splitlines() if key else (), 1):
            if header := _HEADER.fullmatch(line):
                table = _QUOTES.sub("", header[2])
                if header[1] == "[[":
                    entries[table] = entries.get(table, -1) + 1
                    table = f"{table}[{entries[table]}]"
                if table == key:
                    return number
            elif written := _KEY.match(line):
                name = _QUOTES.sub("", written[1])
                if (f"{table}.{name}" if table else name) == key:
                    return number
        return self.find_line(re.sub(r"(?:\.|^)[^.]*$|\[\d+\]$", "", key, count=1)) if key else 0


def read_document(path: Path | Traversable) -> tuple[Document, FileText]:
    """Return what a format file says, and its text.

    Raises:
        UsageError: the file cannot be read.
        ConfigurationError: the file is not TOML, or has an unknown key or a value of another type.
    """
    text, values = _read_toml(path)
    fields = values.pop("fields", {})
    document = _convert(text, values, Document, "")
    if not isinstance(fields, dict):
        raise text.make_error("fields", "it must be a table")
    return msgspec.structs.replace(
        document, fields={name: _convert(text, entry, FieldTable, f"fields.{name}") for name, entry in fields.items()}
    ), text


def _read_toml(path: Path | Traversable) -> tuple[FileText, dict[str, Any]]:
    source = str(path) if isinstance(path, Path) else path.name
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError("read", f"format file {source}", (error.strerror or str(error)).lower()) from None
    if len(raw) > _LARGEST:
        raise FileText(source).make_error("", "it has more than 1 MiB")
    try:
        text = raw.decode().removeprefix("\ufeff")
        return FileText(source, text), tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise FileText(source).make_error("", f"byte {error.start} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise FileText(source).make_error("", _lower_first(str(error))) from None


def _convert(text: FileText, values: Mapping[str, Any], kind: type[T], table: str) -> T:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        match = _PLACE.fullmatch(str(error))
    assert match is not None  # noqa: S101 - the expression matches every text
    unknown = _UNKNOWN.fullmatch(match["cause"])
    path = f"{table}{match['path'] or ''}" + (f".{unknown[1]}" if unknown else "")
    cause = "there is no such key" if unknown else _lower_first(match["cause"].replace("`", ""))
    if choices := _CHOICES.get(path.rpartition(".")[2] if match["cause"].startswith("Invalid enum value") else ""):
        cause += f"; write one of {', '.join(choices)}"
    raise text.make_error(path.replace("[...]", "").removeprefix("."), cause)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
