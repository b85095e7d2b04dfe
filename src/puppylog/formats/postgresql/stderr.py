"""Reads PostgreSQL's log on standard error, with a known prefix or any. ``native/postgresql.c`` does the same in C.

DETAIL, HINT, CONTEXT, STATEMENT and others of the same process belong to the record before, as attributes. A line
without a prefix and a level continues the line before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from puppylog.formats import native
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.postgresql.head import PARTS, SEVERITIES, Field, Head, find_head
from puppylog.formats.postgresql.prefix import Prefix, match_prefix
from puppylog.formats.quoting import quote
from puppylog.formats.rows import NO_TIME, Member, Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.severity import KEY

_NO_HEAD: Final = "no log_line_prefix and level at the start"

REASONS: Final = (_NO_HEAD,)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_ATTRIBUTES: Final = (
    *((Field.PID, "pid"), (Field.LEADER, "leader_pid"), (Field.LINE, "log_line"), (Field.DATABASE, "database")),
    *((Field.APP, "application"), (Field.BACKEND, "backend_type"), (Field.LOCAL, "local_address")),
    *((Field.SESSION, "session_id"), (Field.START, "session_start"), (Field.TAG, "command_tag")),
    *((Field.VXID, "virtual_transaction_id"), (Field.XID, "transaction_id"), (Field.QUERY_ID, "query_id")),
    (Field.OTHER, "prefix"),
)
_NUMBERS: Final = {Field.PID, Field.LEADER, Field.LINE, Field.XID, Field.QUERY_ID}
_UNKNOWN: Final = {"", "-", "[unknown]", "[local]"}
_MAX_DIGITS: Final = 18

_CODE = re.compile(r"(?=[A-Z]*[0-9])([0-9A-Z]{5}): ")
_DURATION = re.compile(r"duration: ((?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}) ms")
_CLIENT = re.compile(r"(.+)\(([^(]*)\)|([^:]+):([0-9]+)", re.DOTALL)


def read_stderr(text: bytes | memoryview, prefix: Prefix | None, *, joins: bool = True) -> Rows:
    """Return the rows of lines of the log; see `puppylog.formats.line_format.Reader`.

    Args:
        text: as in `puppylog.formats.line_format.Reader`.
        prefix: the ``log_line_prefix``; None to find out for each line what it has before its level.
        joins: whether a line that does not begin a record belongs to the record before; otherwise it is rejected.
    """
    if native.lines is not None:
        steps = (prefix.literal, prefix.steps, prefix.optional) if prefix is not None else (b"", (), -1)
        return rows_from_buffers(native.lines.postgresql(text, prefix is not None, *steps, joins), REASONS)
    reader = _Reader(RowsBuilder(bytes(text)), prefix, joins)
    for at, line in reader.builder.iter_lines():
        reader.read_line(at, line)
    return reader.builder.build()


@dataclass(slots=True)
class _Reader:
    builder: RowsBuilder
    prefix: Prefix | None
    joins: bool
    pid: str | None = None  # of the last record; None if it can have no further parts
    parts: set[str] = field(default_factory=set)  # those that the last record has
    is_in_part: bool = False  # the last line belongs to a part of the record, and not to its message

    def read_line(self, at: int, raw: bytes) -> None:
        line = raw.decode()
        head = find_head(line) if self.prefix is None else match_prefix(self.prefix, line)
        if head is None:
            self._continue(at, raw)
            return
        message, word = line[head.level.end :], head.level.word
        pid = head.values.get(Field.PID, "")
        is_part = self.joins and word in PARTS and word not in self.parts and pid == self.pid
        if is_part and self.builder.join_member(at, word.lower(), message):
            self.parts.add(word)
            self.is_in_part = True
            return
        # At the start of a text, the record of a part may be before the text.
        is_orphan = self.joins and word in PARTS and self.builder.has_only_orphans
        self._add(at, head, message)
        self.builder.orphans += is_orphan
        self.pid = pid if word not in PARTS and len(pid) <= _MAX_DIGITS else None
        self.is_in_part = False
        self.parts = set()

    def _continue(self, at: int, raw: bytes) -> None:
        if not self.joins:
            self.builder.reject(at, _NO_HEAD)
        elif not (self.is_in_part and self.builder.join_member(at, "", raw.decode())):
            self.is_in_part = False
            self.builder.continue_(at, raw)

    def _add(self, at: int, head: Head, message: str) -> None:
        remote = head.values.get(Field.REMOTE) or head.values.get(Field.HOST, "")
        add_head(self.builder, at, head, message, client=split_client(remote))


def add_head(
    builder: RowsBuilder,
    at: int,
    head: Head,
    message: str,
    *,
    client: tuple[str | None, str],
    more: Sequence[Member] = (),
) -> None:
    """Add the record of a line.

    Args:
        builder: the builder.
        at: the offset of the line in bytes.
        head: what is before the message.
        message: the message.
        client: its host and port.
        more: further attributes, which are the last ones.
    """
    word, time = head.level.word, head.time
    severity = SEVERITIES.get(word)
    user = head.values.get(Field.USER, "")
    zone = time.zone_name if time is not None else ""
    builder.ambiguous_zones += bool(zone)
    members = list_texts(("zone", zone))
    members += [(KEY, quote(word))] if severity is not None and word.lower() != severity else []
    members += list_numbers(("client_port", client[1]))
    members += _list_attributes(head)
    code = head.values.get(Field.CODE, "")
    if not code and severity and (found := _CODE.match(message)):
        code = found[1]
    members += list_texts(("code", code)) if code != "00000" else []
    if duration := _DURATION.match(message):
        members.append(("duration_ms", duration[1]))
    members += list_texts(("kind", word.lower())) if word in PARTS else []
    builder.add(
        at,
        time.us if time is not None else NO_TIME,
        is_local=time is not None and time.is_local,
        members=[*members, *more],
        columns={
            "host": client[0],
            "ruser": None if user in _UNKNOWN else user,
            "severity": severity,
            "message": message,
        },
    )


def _list_attributes(head: Head) -> list[Member]:
    members: list[Member] = []
    for name, key in _ATTRIBUTES:
        value = head.values.get(name, "")
        if value in _UNKNOWN or (value == "0" and name in _NUMBERS):
            continue
        members += list_numbers((key, value)) if name in _NUMBERS else list_texts((key, value))
    return members


def split_client(remote: str) -> tuple[str | None, str]:
    """Return the host and the port of ``host(port)`` or ``host:port``; an IPv6 address without a port stays whole."""
    if remote in _UNKNOWN:
        return None, ""
    match = _CLIENT.fullmatch(remote)
    if match is None or not (match[2] or match[4]):
        return remote, ""
    return match[1] or match[3], match[2] or match[4]
