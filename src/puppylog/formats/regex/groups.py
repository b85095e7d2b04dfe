"""Turns the groups of matching lines into columns and attributes, or into reasons to reject lines."""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.attributes import build_objects, quote_json
from puppylog.formats.calendar import Calendar
from puppylog.formats.host import read_host
from puppylog.formats.names import find_name, normalize
from puppylog.formats.quoting import quote
from puppylog.formats.regex.fields import REQUEST, TIME
from puppylog.formats.regex.times import read_times
from puppylog.formats.rows import FILLED, NO_TIME
from puppylog.formats.severity import KEY as SEVERITY_TEXT
from puppylog.formats.severity import NOTATIONS, read_severity
from puppylog.model.record import RECORDS

_LARGEST: Final = {"status_code": "0000000000000032767", "response_bytes": "9223372036854775807"}
_NUMBER = "^[0-9]{1,19}$"
_JSON_NUMBER = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?$"
_REQUEST = r"(?s)^(?P<method>[A-Z][A-Z0-9_-]*) (?:(?P<route>.+) (?P<proto>HTTP/[^ ]+)|(?P<path>/.*))$"
_NULL = pa.scalar(None, pa.string())

FITS: Final = 255
"""In place of a reason's number: the line is not rejected."""

_FITS = pa.scalar(FITS, pa.uint8())


class Groups:
    """Reads the groups of matching lines. Every array has one value for each line."""

    def __init__(self, values: Mapping[str, pa.Array], fields: Mapping[str, str], rows: int) -> None:
        """Create empty columns.

        Args:
            values: the texts of each group by its name; the text of a group that matched nothing is empty.
            fields: what `puppylog.formats.regex.fields.assign_fields` returns.
            rows: the number of lines.
        """
        self.columns = {name: pa.nulls(rows, RECORDS.field(name).type) for name in FILLED}
        self.ts_us = pa.repeat(pa.scalar(NO_TIME, pa.int64()), rows)
        self.is_local = pa.repeat(False, rows)
        self.reasons: list[str] = []
        self.reason = pa.repeat(_FITS, rows)  # for each line an index in `reasons`, or FITS
        self._values = values
        self._fields = fields
        self._members: dict[str, pa.Array] = {}  # attributes by name: JSON values or nulls

    def read(self, calendar: Calendar) -> None:
        """Fill all columns. ``calendar`` gives the year of stamps without a year, and is updated."""
        groups = {group: field for field, group in self._fields.items()}
        for group, values in self._values.items():
            field = groups.get(group)
            if field is None:
                self._members[group] = _to_json(_null_if_unknown(values))
            elif field == TIME:
                self._read_times(group, values, calendar)
            elif field == REQUEST:
                self._read_requests(_null_if_unknown(values))
            elif field in _LARGEST:
                self._read_numbers(field, group, _null_if_unknown(values))
            elif field == "message":
                self.columns[field] = _replace_with_null(values, "")
            elif field == "severity":
                self._read_severities(group, _null_if_unknown(values))
            elif field == "host":
                self._read_hosts(group, _null_if_unknown(values))
            else:
                self.columns[field] = _null_if_unknown(values)
        self.columns["attributes"] = self._build_attributes()

    def _read_times(self, group: str, values: pa.Array, calendar: Calendar) -> None:
        times = read_times(values, calendar)
        self.ts_us, self.is_local = times.us, times.is_local
        self._reject(times.is_unknown, f"group {group} is not a time in a known form")
        self._reject(times.is_out_of_range, f"group {group} is a time out of range")

    def _read_severities(self, group: str, values: pa.Array) -> None:
        """Fill the column ``severity``. A text that is not a severity stays an attribute."""
        name = find_name(normalize(group))
        notation = NOTATIONS[0] if name is None else name.notation
        texts = values.dictionary_encode()
        read = [read_severity(text, notation) for text in texts.dictionary.to_pylist()]
        self.columns["severity"] = _take([severity for severity, _ in read], texts)
        kept = [quote(word) if word else None for _, word in read]
        self._keep(group, values, self.columns["severity"], {SEVERITY_TEXT: _take(kept, texts)})

    def _read_hosts(self, group: str, values: pa.Array) -> None:
        """Fill the column ``host``. A text that is not a host stays an attribute."""
        texts = values.dictionary_encode()
        words = texts.dictionary.to_pylist()
        hosts = [read_host(text) for text in words]
        self.columns["host"] = _take([host.name if host else None for host in hosts], texts)
        ports = _take([host.port or None if host else None for host in hosts], texts)
        lists = [quote(text) if host and host.is_first else None for text, host in zip(words, hosts, strict=True)]
        self._keep(group, values, self.columns["host"], {"client_port": ports, "forwarded_for": _take(lists, texts)})

    def _keep(self, group: str, values: pa.Array, column: pa.Array, added: Mapping[str, pa.Array]) -> None:
        """Keep the texts of a group that fill no column as attributes, and add what a column's texts say more."""
        left = pc.if_else(column.is_valid(), _NULL, values)
        if left.null_count < len(left):
            self._members[group] = _to_json(left)
        self._members |= {
            key: members
            for key, members in added.items()
            if members.null_count < len(members) and key not in self._values
        }

    def _read_numbers(self, field: str, group: str, values: pa.Array) -> None:
        padded = pc.utf8_lpad(values, 19, "0")
        is_number = pc.and_(pc.match_substring_regex(values, _NUMBER), pc.less_equal(padded, _LARGEST[field]))
        self._reject(pc.invert(is_number).fill_null(False), f"group {group} is not a whole number in its range")
        self.columns[field] = pc.if_else(is_number, values, _NULL).cast(RECORDS.field(field).type)

    def _read_requests(self, values: pa.Array) -> None:
        """Fill the columns of ``METHOD route HTTP/x`` or ``METHOD /route``. An invalid request becomes the message."""
        found = pc.extract_regex(values, _REQUEST)
        route, path = pc.struct_field(found, "route"), pc.struct_field(found, "path")
        self.columns["request_method"] = pc.struct_field(found, "method")
        self.columns["request_route"] = pc.if_else(pc.equal(route, ""), path, route)
        self.columns["request_proto"] = _replace_with_null(pc.struct_field(found, "proto"), "")
        garbage = pc.if_else(found.is_valid(), _NULL, values)
        if "message" in self._fields:
            self._members[REQUEST] = quote_json(garbage)
        else:
            self.columns["message"] = garbage

    def _reject(self, are_wrong: pa.Array, reason: str) -> None:
        """Give these lines a reason, unless they already have a reason."""
        number = pa.scalar(len(self.reasons), pa.uint8())
        self.reason = pc.if_else(pc.and_(are_wrong, pc.equal(self.reason, _FITS)), number, self.reason)
        self.reasons.append(reason)

    def _build_attributes(self) -> pa.Array:
        present = pa.repeat(False, len(self.reason))
        for values in self._members.values():
            present = pc.or_(present, values.is_valid())
        return build_objects({key: values.filter(present) for key, values in self._members.items()}, present)


def _take(values: Sequence[str | None], texts: pa.DictionaryArray) -> pa.Array:
    """Return for each text the value of its place in the dictionary."""
    return pa.array(values, pa.string()).take(texts.indices)


def _replace_with_null(values: pa.Array, text: str) -> pa.Array:
    """Return the strings with null in place of ``text``."""
    return pc.if_else(pc.equal(values, text), _NULL, values)


def _null_if_unknown(values: pa.Array) -> pa.Array:
    """Return the strings with null in place of an empty string or a dash: then the value is unknown."""
    return _replace_with_null(_replace_with_null(values, ""), "-")


def _to_json(values: pa.Array) -> pa.Array:
    """Return the strings as JSON values. A string that is a number in JSON and not too long becomes that number."""
    return pc.if_else(pc.match_substring_regex(values, _JSON_NUMBER), values, quote_json(values))
