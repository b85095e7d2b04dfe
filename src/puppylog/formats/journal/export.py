r"""Decodes the export format of systemd's journal, and writes each entry as a JSON line.

In the export format, an entry is a list of fields and ends with an empty line. A field is ``NAME=value`` or, if the
value has bytes that are not text, ``NAME``, a newline, the length of the value as 64 bits in little-endian order, the
value and a newline. See https://systemd.io/JOURNAL_EXPORT_FORMATS.

A field that an entry has several times becomes a list; several messages become the lines of one. Bytes that are not
UTF-8 are replaced, and the entry gets the field ``invalid_utf8``. A value that is too long is cut, and the entry gets
the field ``cut``. So the memory of a decoder is limited. Pure: it gets blocks of bytes, and keeps what is not complete.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from puppylog.formats.journal.fields import CURSOR, LEFT_OUT

MAX_VALUE_BYTES: Final = 256 << 10
"""How many bytes of one value are kept. Journald itself allows 768 MiB."""

MAX_ENTRY_BYTES: Final = 1 << 20
"""How many bytes of one entry's names and values are kept."""

_MAX_FIELDS = 1024  # as many as systemd accepts
_MAX_NAME_BYTES = 256  # systemd allows 64
_LENGTH_BYTES: Final = 8
_MAX_TRIMMED: Final = 2  # newlines at the end of a record of a file, which are taken for blank lines
_MAX_LENGTH = 1 << 40  # of a value: a larger number means that the bytes are not the export format

_TAKEN_BYTES = 16 << 10  # of an entry; fields of a larger entry are read one by one

_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal."""

    cursor: str  # empty if the entry has none
    hostname: str  # of the machine that wrote the entry; empty if the entry does not say it
    line: bytes  # the fields as a JSON object and a newline, without the cursor


class MalformedExport(ValueError):
    """The bytes are not the export format: nothing after the fault can be decoded."""

    def __init__(self, at: int, cause: str, entries: list[Entry]) -> None:
        super().__init__(at, cause)
        self.at = at
        """The offset of the fault in all bytes that were fed."""
        self.cause = cause
        self.entries = entries
        """The entries before the fault that `ExportDecoder.feed` has not returned."""

    def __str__(self) -> str:
        return f"byte {self.at}: {self.cause}"


_Value: TypeAlias = str | list[str] | bool
_Steps: TypeAlias = Generator[None, None, "tuple[bytes, bool]"]  # the bytes, and whether they were cut


class ExportDecoder:
    r"""Decodes a stream of entries, block by block.

    Example:
        >>> decoder = ExportDecoder()
        >>> decoder.feed(b"__CURSOR=s=1\nMESSAGE=hello\nPRIORITY=6\n")
        []
        >>> decoder.feed(b"\n")
        [Entry(cursor='s=1', hostname='', line=b'{"MESSAGE":"hello","PRIORITY":"6"}\n')]
    """

    def __init__(self) -> None:
        self._data = b""
        self._position = 0  # in the data: up to it, the data is decoded
        self._start = 0  # of the data, in all bytes that were fed
        self._fields: _Fields | None = None  # of the entry that is decoded field by field
        self._entries: list[Entry] = []
        self._steps = self._decode()  # runs up to the end of the data, again and again
        next(self._steps)

    @property
    def is_within_entry(self) -> bool:
        """Whether the bytes so far end within an entry."""
        return self._fields is not None and bool(self._fields.count or self._position < len(self._data))

    def feed(self, block: bytes) -> list[Entry]:
        """Add the next block, and return the entries that are complete now. After an error it must not be called.

        Raises:
            MalformedExport: the bytes are not the export format.
        """
        self._start += self._position
        self._data = self._data[self._position :] + block
        self._position = 0
        entries: list[Entry] = []
        self._entries = entries
        next(self._steps)
        return entries

    def _decode(self) -> Generator[None, None, None]:
        while True:
            while self._data.startswith(b"\n", self._position):  # an entry without fields
                self._position += 1
            fields = self._fields = _Fields()
            self._take_texts(fields)
            while True:
                line, is_cut = yield from self._read_line()
                if not line:
                    break
                name, is_text, value = line.partition(b"=")
                if not 0 < len(name) <= _MAX_NAME_BYTES:
                    raise self._fault("a name is too long" if name else "a field has no name")
                if is_text:
                    fields.add(name, value, is_cut=is_cut)
                else:
                    value, is_cut = yield from self._read_value()
                    fields.add(name, value, is_cut=is_cut)
                    self._take_texts(fields)
            if fields.count:
                self._entries.append(_make_entry(fields.values))
            self._fields = None

    def _take_texts(self, fields: "_Fields") -> None:
        """Take all fields up to the next binary one, or to the end of the entry, if the rest of the entry has come.

        This takes a third of the time of reading them one by one. Nothing is taken if a field is unusual.
        """
        start = self._position
        end = self._data.find(b"\n\n", start, start + _TAKEN_BYTES)
        if end < 0:
            return
        lines = self._data[start:end].split(b"\n")
        first_binary = next((at for at, line in enumerate(lines) if b"=" not in line), None)
        texts = b"\n".join(lines[:first_binary])
        if texts and fields.add_texts(texts):
            self._position += len(texts) + 1

    def _read_line(self) -> _Steps:
        """Read up to the next newline. Only the beginning of a long line is kept."""
        searched = self._position
        while (end := self._data.find(b"\n", searched)) < 0:
            if len(self._data) - self._position > MAX_VALUE_BYTES + _MAX_NAME_BYTES:
                return (yield from self._read_long_line())
            waiting = len(self._data) - self._position
            yield
            searched = self._position + waiting
        line = self._data[self._position : end]
        self._position = end + 1
        return line[: MAX_VALUE_BYTES + _MAX_NAME_BYTES], len(line) > MAX_VALUE_BYTES + _MAX_NAME_BYTES

    def _read_long_line(self) -> _Steps:
        head = self._data[self._position : self._position + MAX_VALUE_BYTES + _MAX_NAME_BYTES]
        while (end := self._data.find(b"\n", self._position)) < 0:
            self._position = len(self._data)
            yield
        self._position = end + 1
        return head, True

    def _read_value(self) -> _Steps:
        """Read the length, the value and the newline after it. Only the beginning of a long value is kept."""
        while len(self._data) - self._position < _LENGTH_BYTES:
            yield
        size = int.from_bytes(self._data[self._position : self._position + _LENGTH_BYTES], "little")
        if size > _MAX_LENGTH:
            raise self._fault(f"a value of {size} bytes is too long")
        self._position += _LENGTH_BYTES
        kept = bytearray()
        missing = size
        while missing:
            part = self._data[self._position : self._position + missing]
            kept += part[: MAX_VALUE_BYTES - len(kept)]
            self._position += len(part)
            missing -= len(part)
            if missing:
                yield
        while self._position == len(self._data):
            yield
        if not self._data.startswith(b"\n", self._position):
            raise self._fault("no newline follows a value")
        self._position += 1
        return bytes(kept), size > len(kept)

    def _fault(self, cause: str) -> MalformedExport:
        return MalformedExport(self._start + self._position, cause, self._entries)


@dataclass(slots=True)
class _Fields:
    """The fields of one entry, which come one by one."""

    values: dict[str, _Value] = field(default_factory=dict)
    count: int = 0
    size_bytes: int = 0

    def add_texts(self, texts: bytes) -> bool:
        """Add fields, each on a line ``NAME=value``; return False, and add none, if `add` must look at each of them."""
        try:
            pairs = [line.split("=", 1) for line in texts.decode().split("\n")]
        except UnicodeDecodeError:
            return False
        found = {name: value for name, value in pairs}  # noqa: C416 - dict(pairs) has another type
        if len(found) < len(pairs) or not found.keys().isdisjoint(self.values):
            return False
        if self.count + len(found) > _MAX_FIELDS or self.size_bytes + len(texts) > MAX_ENTRY_BYTES:
            return False
        if "" in found or max(map(len, found)) > _MAX_NAME_BYTES:
            return False
        self.count += len(found)
        self.size_bytes += len(texts)
        self.values.update(found)
        return True

    def add(self, name: bytes, value: bytes, *, is_cut: bool) -> None:
        """Add a field. It is cut, or left out, if it exceeds the limits of an entry."""
        self.count += 1
        size = len(name) + len(value)
        if self.count > _MAX_FIELDS or self.size_bytes + size > MAX_ENTRY_BYTES:
            self.values["cut"] = True
            if not name.startswith(b"__"):  # the fields that say where the entry is are always kept
                return
        self.size_bytes += size
        if is_cut or len(value) > MAX_VALUE_BYTES:
            self.values["cut"] = True
            value = value[:MAX_VALUE_BYTES]
        text = self._decode(value)
        key = self._decode(name)
        known = self.values.get(key)
        if isinstance(known, list):
            known.append(text)
        elif isinstance(known, str):
            self.values[key] = [known, text]
        else:
            self.values[key] = text

    def _decode(self, value: bytes) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError:
            self.values["invalid_utf8"] = True
            return value.decode(errors="replace")


_BINARY: Final = re.compile(r"([A-Z_][A-Z0-9_]*)\n((?s:.){1,8}?\x00{4,7})")
_NEXT: Final = re.compile(r"\n(?:[A-Z_][A-Z0-9_]*=|[A-Z_][A-Z0-9_]*\n(?s:.){1,8}?\x00{4,7})")


def read_entry(text: str) -> bytes:
    """Return an entry of a file of the export format as `Entry.line` writes it.

    A file is read as text: bytes that are not UTF-8 are replaced, also those of a length, and colours are removed. A
    length that cannot be right is ignored. Its value then ends where the next field begins.
    """
    fields = _Fields()
    at = 0
    while at < len(text):
        binary = _BINARY.match(text, at)
        if binary is not None:
            name, value = binary[1], _cut_value(text, binary)
            end = binary.end() + len(value)
        else:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            name, _, value = text[at:end].partition("=")
        if name:
            fields.add(name.encode(), value.encode(), is_cut=False)
        at = end + 1
    return _make_entry(fields.values).line


def _cut_value(text: str, head: re.Match[str]) -> str:
    """Return the value of a binary field, after its name and length."""
    start, length = head.end(), head[2].encode()
    size = int.from_bytes(length, "little")
    if len(length) == _LENGTH_BYTES and size <= MAX_ENTRY_BYTES:
        value = text[start : start + size].encode()[:size].decode(errors="ignore")
        missing, rest = size - len(value.encode()), text[start + len(value) :]
        if missing == 0 and rest[:1] in {"", "\n"}:
            return value
        if 0 < missing <= _MAX_TRIMMED and not rest:
            return value + "\n" * missing
    following = _NEXT.search(text, start)
    return text[start : len(text) if following is None else following.start()]


def _make_entry(values: dict[str, _Value]) -> Entry:
    cursor = values.get(CURSOR, "")
    for name in LEFT_OUT:
        values.pop(name, None)
    messages = values.get("MESSAGE")
    if isinstance(messages, list):
        values["MESSAGE"] = "\n".join(messages)
    hostname = values.get("_HOSTNAME", "")
    return Entry(
        cursor if isinstance(cursor, str) else "",
        hostname if isinstance(hostname, str) else "",
        _ENCODER.encode(values) + b"\n",
    )
