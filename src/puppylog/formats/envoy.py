"""The access logs of Envoy: its default format, and Istio's longer one. ``native/envoy.c`` does the same in C.

``[time] "METHOD path PROTO" status flags … received sent duration service-time "forwarded" "agent" "id" "authority"
"upstream" …``. Istio writes up to three fields after the flags and six at the end of the line.
"""

from typing import Final, NamedTuple

from puppylog.formats import clock, native
from puppylog.formats.address import find_first_host, split_address
from puppylog.formats.entry import Columns, Entry, Mismatch, add_entries
from puppylog.formats.entry import find_mismatch as find_entry_mismatch
from puppylog.formats.fields import read_request
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.rows import Member, Rows, RowsBuilder, rows_from_buffers

_NO_TIME: Final = "no time in brackets at the start"
_TIME_RANGE: Final = "time out of range"
_NO_REQUEST: Final = "no quoted request after the time"
_STATUS: Final = "status is not a number of up to three digits"
_OPEN_QUOTE: Final = "an unclosed quote"
_COUNTS: Final = "no bytes, durations and five quoted fields after the response flags"

REASONS: Final = (_NO_TIME, _TIME_RANGE, _NO_REQUEST, _STATUS, _OPEN_QUOTE, _COUNTS)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_BEFORE: Final = ("response_code_details", "connection_termination_details")
_MESH: Final = (
    *("upstream_cluster", "upstream_local_address", "downstream_local_address", "downstream_remote_address"),
    *("requested_server_name", "route_name"),
)
_REMOTE: Final = _MESH.index("downstream_remote_address")
_COUNT, _QUOTED, _MAX_BEFORE = 4, 5, 3
_MAX_TOKENS: Final = _MAX_BEFORE + _COUNT + _QUOTED + len(_MESH)
_MAX_DIGITS: Final = 18


class _Token(NamedTuple):
    """A field of a line."""

    text: str
    is_quoted: bool
    start: int  # the index of the field in the line

    @property
    def is_count(self) -> bool:
        return not self.is_quoted and self.text.isascii() and self.text.isdigit()


def read_envoy(text: bytes | memoryview) -> Rows:
    """Return the rows of lines of Envoy; see `puppylog.formats.line_format.Reader`."""
    if native.lines is not None:
        return rows_from_buffers(native.lines.envoy(text), REASONS)
    builder = RowsBuilder(bytes(text))
    add_entries(builder, _read_line)
    return builder.build()


def find_envoy_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    return find_entry_mismatch(_read_line, line)


def _read_line(line: str) -> Entry:
    entry, at = _read_time(line)
    request = _take_token(line, at, _NO_REQUEST)
    if not request[0].is_quoted:
        raise Mismatch(_NO_REQUEST, at)
    status, flags_at = _take_word(line, request[1])
    if len(status.text) > 3 or not status.is_count:
        raise Mismatch(_STATUS, status.start)
    flags, at = _take_word(line, flags_at)
    tokens: list[_Token] = []
    while at < len(line) and len(tokens) < _MAX_TOKENS:
        token, at = _take_token(line, at, _OPEN_QUOTE)
        tokens.append(token)
    before = next((place for place in range(_MAX_BEFORE + 1) if _has_counts_at(tokens, place)), -1)
    if before < 0:
        raise Mismatch(_COUNTS, flags_at)
    used = before + _COUNT + _QUOTED
    mesh = tokens[used:][: len(_MESH)]
    if len(tokens) - used < len(_MESH) - 1:
        mesh = []
    used += len(mesh)
    counts, quoted = tokens[before:][:_COUNT], tokens[before + _COUNT :][:_QUOTED]
    columns, members = _read_host(quoted[0].text, mesh[_REMOTE].text if mesh else "")
    entry.columns = {
        "status_code": int(status.text) or None,  # 0: the client got no response
        "response_bytes": int(counts[1].text) if len(counts[1].text) <= _MAX_DIGITS else None,
        "user_agent": quoted[1].text if quoted[1].text != "-" else None,
        **_read_request(request[0].text),
        **columns,
    }
    entry.members = [
        *list_texts(("response_flags", flags.text)),
        *_list_before(tokens[:before]),
        *list_numbers(("bytes_received", counts[0].text), ("duration_ms", counts[2].text)),
        *list_numbers(("upstream_service_time_ms", counts[3].text)),
        *members,
        *list_texts(("request_id", quoted[2].text), ("authority", quoted[3].text), ("upstream_host", quoted[4].text)),
        *list_texts(*((key, token.text) for key, token in zip(_MESH, mesh, strict=False) if key != _MESH[_REMOTE])),
        *list_texts(("extra", line[tokens[used].start :] if used < len(tokens) else line[at:])),
    ]
    return entry


def _read_time(line: str) -> tuple[Entry, int]:
    """Return a record with the time of ``[time] ``, and the index after it."""
    end = line.find("]")
    if not line.startswith("[") or end < 0 or not line.startswith("] ", end):
        raise Mismatch(_NO_TIME, 0)
    try:
        stamp = clock.parse_iso(line[1:end])
    except clock.OutOfRange:
        raise Mismatch(_TIME_RANGE, 1) from None
    if stamp is None:
        raise Mismatch(_NO_TIME, 1)
    return Entry(stamp.us, stamp.is_local), end + 2


def _take_word(line: str, at: int) -> tuple[_Token, int]:
    end = line.find(" ", at)
    end = len(line) if end < 0 else end
    return _Token(line[at:end], is_quoted=False, start=at), min(end + 1, len(line))


def _take_token(line: str, at: int, reason: str) -> tuple[_Token, int]:
    """Return the field at the index ``at``, and the index after it and its blank.

    A field in quotes ends before a quote that a blank or the end of the line follows.
    """
    if not line.startswith('"', at):
        return _take_word(line, at)
    end = line.find('"', at + 1)
    while end >= 0 and end + 1 < len(line) and line[end + 1] != " ":
        end = line.find('"', end + 1)
    if end < 0:
        raise Mismatch(reason, at)
    return _Token(line[at + 1 : end], is_quoted=True, start=at), min(end + 2, len(line))


def _has_counts_at(tokens: list[_Token], place: int) -> bool:
    """Return whether the counts and the quoted fields of the default format begin at this field."""
    counts, quoted = tokens[place:][:_COUNT], tokens[place + _COUNT :][:_QUOTED]
    if len(quoted) < _QUOTED or not all(token.is_quoted for token in quoted):
        return False
    has_service_time = counts[3].is_count or (counts[3].text == "-" and not counts[3].is_quoted)
    return has_service_time and all(token.is_count for token in counts[:3])


def _read_request(request: str) -> Columns:
    if request == "- - -":
        return {}
    request = request.removesuffix(" -") if len(request) > 2 else request
    return read_request(request) or {"message": None if request == "-" else request}


def _list_before(tokens: list[_Token]) -> list[Member]:
    """Return the attributes of the fields between the flags and the counts."""
    words = [token.text for token in tokens if not token.is_quoted]
    members = list_texts(*zip(_BEFORE, words, strict=False))
    if tokens and tokens[-1].is_quoted:
        members += list_texts(("upstream_transport_failure_reason", tokens[-1].text))
    return members


def _read_host(forwarded: str, remote: str) -> tuple[Columns, list[Member]]:
    """Return the host, the first of the forwarded addresses or else the address of the peer, and its attributes."""
    if forwarded not in {"", "-"}:
        members = list_texts(("forwarded_for", forwarded)) if "," in forwarded else []
        return {"host": find_first_host(forwarded)}, [*members, *list_texts((_MESH[_REMOTE], remote))]
    if remote in {"", "-"}:
        return {}, []
    host, port = split_address(remote)
    return {"host": host}, list_numbers(("client_port", port))
