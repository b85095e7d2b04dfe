"""Builds a record from the values of its fields."""

import re
from dataclasses import dataclass, field
from typing import Final

from puppylog.formats.clock import OutOfRange, parse_access
from puppylog.formats.layout.moment import Malformed, Moment, start_moment
from puppylog.formats.layout.program import ATTRIBUTE, TEXT_COLUMNS, Kind, Program, Reason, Step
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member

_UNKNOWN: Final = frozenset({b"", b"-"})
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MAX_NUMBER_LENGTH = 32
_STATUS: Final = re.compile(rb"[0-9]{1,3}")
_BYTES: Final = re.compile(rb"[0-9]{1,19}")
_MAX_BYTES: Final = (1 << 63) - 1
_REQUEST: Final = re.compile(rb"([A-Z][A-Z0-9_-]*) (?:(.+) (HTTP/[^ ]+)|(/.*))", re.DOTALL)


class Mismatch(Exception):
    """The line does not match the layout."""

    def __init__(self, reason: Reason, at: int = 0) -> None:
        super().__init__(reason.text)
        self.reason = reason
        self.at = at  # the offset of the mismatch in the line, in bytes


@dataclass(slots=True)
class Record:
    """The values of a line, as arguments of `puppylog.formats.rows.RowsBuilder.add`."""

    moment: Moment
    columns: dict[str, str | int | None] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    stem: bytes = b""
    query: bytes = b""

    def add_value(self, step: Step, text: bytes) -> None:
        """Add the value of a field.

        Raises:
            Mismatch: the value does not have the form of its kind.
        """
        kind = step.kind
        if kind >= Kind.STAMP:
            self._add_time(step, text)
        elif kind is Kind.SKIP:
            if step.size and not text.isascii():
                raise Mismatch(Reason.TIME_FORM)
        elif text in _UNKNOWN or (kind is Kind.USER and text == b'""'):
            return
        elif kind is Kind.REQUEST:
            self.columns |= parse_request(text)
        elif kind is Kind.STATUS:
            self.columns["status_code"] = _parse_whole(_STATUS, text, Reason.STATUS)
        elif kind is Kind.BYTES:
            self.columns["response_bytes"] = _parse_whole(_BYTES, text, Reason.BYTES)
        elif kind is Kind.STEM:
            self.stem = text
        elif kind is Kind.QUERY:
            self.query = text
        else:
            self._add_text(step, text)

    def finish(self, program: Program) -> tuple[int, bool]:
        """Fill the columns that several fields share; return the time as `Moment.resolve` does.

        Raises:
            Mismatch: there is no such time.
        """
        if self.stem or self.query:
            self.columns["request_route"] = (self.stem + (b"?" + self.query if self.query else b"")).decode()
        try:
            is_utc = program.is_delimited and not program.is_local
            return self.moment.resolve(has_parts=program.has_parts, is_utc=is_utc)
        except OutOfRange:
            raise Mismatch(Reason.TIME_RANGE) from None

    def _add_time(self, step: Step, text: bytes) -> None:
        try:
            if step.kind is not Kind.STAMP:
                self.moment.read(step.kind, text)
                return
            if parse_access(text.decode("latin-1")) is None:
                raise Mismatch(Reason.TIME_FORM)
        except OutOfRange:
            raise Mismatch(Reason.TIME_RANGE) from None
        except Malformed:
            raise Mismatch(Reason.TIME_FORM) from None
        self._add_text(step, text)

    def _add_text(self, step: Step, text: bytes) -> None:
        if step.column != ATTRIBUTE:
            self.columns[TEXT_COLUMNS[step.column]] = text.decode()
            return
        is_number = step.kind is Kind.NUMBER and len(text) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(text)
        self.members.append((step.name.decode(), text.decode() if is_number else quote(text.decode())))


def start_record(program: Program) -> Record:
    """Return the record of a line before its fields are read."""
    return Record(start_moment(program.day))


def parse_request(text: bytes) -> dict[str, str | int | None]:
    """Return the columns of a request: method, route and protocol, or the message if the request is invalid."""
    match = _REQUEST.fullmatch(text)
    if match is None:
        return {"message": text.decode()}
    method, route, proto, path = (part.decode() if part else "" for part in match.groups())
    return {"request_method": method, "request_route": route or path, "request_proto": proto}


def _parse_whole(pattern: re.Pattern[bytes], text: bytes, reason: Reason) -> int:
    if not pattern.fullmatch(text) or int(text) > _MAX_BYTES:
        raise Mismatch(reason)
    return int(text)
