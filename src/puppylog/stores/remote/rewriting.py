"""Replacing the rows of a file in a store behind a server: they are sent in parts, which wait at the server."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import pyarrow as pa

from puppylog.errors import PuppylogError
from puppylog.model.record import Parsed
from puppylog.stores.messages import encode
from puppylog.stores.remote.appender import Part, make_part
from puppylog.stores.remote.connection import Connection
from puppylog.stores.remote.frames import END, Kind, pack_frame
from puppylog.stores.remote.session import Session
from puppylog.stores.rewriting import DeletedStream, ReadFile, Rewritten

_PART_BYTES: Final = 8 << 20
"""The most bytes of frames and lines that wait before they are sent."""


class RemoteRewriting:
    """Implements `puppylog.stores.rewriting.Rewriting`."""

    def __init__(
        self,
        file: ReadFile,
        send: Callable[[str, list[bytes]], None],
        ask: Callable[[str, dict[str, object]], object],
        *,
        part_bytes: int,
        keeps_lines: bool,
    ) -> None:
        """Start without rows.

        Args:
            file: whose rows are replaced.
            send: calls the server with a body of frames, within the client's session.
            ask: calls the server with JSON, and returns its answer, within the client's session.
            part_bytes: rows are sent when their frames and lines have this size.
            keeps_lines: whether the store may refuse rows, and then needs their lines.
        """
        self._part_bytes = part_bytes
        self._file = file
        self._send = send
        self._ask = ask
        self._keeps_lines = keeps_lines
        self._id = secrets.token_hex(16)
        self._waiting: list[Part] = []
        self._waiting_bytes = 0
        self._sent = 0  # how many parts the server has

    def write(self, parsed: Parsed) -> None:
        if not parsed.lines:
            return
        part = make_part(self._file.stream_id, self._file.file_id, parsed, keeps_lines=self._keeps_lines)
        self._waiting.append(part)
        self._waiting_bytes += sum(map(len, part.frames)) + len(part.data)
        if self._waiting_bytes >= self._part_bytes:
            self._send_waiting()

    def commit(self, context: str) -> Rewritten:
        self._send_waiting()
        arguments = {"id": self._id, "parts": self._sent, "file": self._file, "context": context}
        plain = self._ask("rewrite", dict(arguments))
        assert isinstance(plain, dict)  # noqa: S101 - the answer to this call
        return Rewritten(**plain)

    def discard(self) -> None:
        self._waiting, self._waiting_bytes = [], 0
        if self._sent:
            self._sent = 0
            with suppress(PuppylogError):  # the rows are deleted with the session
                self._ask("discard_rows", {"id": self._id})

    def _send_waiting(self) -> None:
        if not self._waiting:
            return
        plain = [part.list_plain(has_lines=bool(part.data)) for part in self._waiting]
        body = [pack_frame(Kind.JSON, encode({"id": self._id, "number": self._sent, "parts": plain}))]
        for part in self._waiting:
            body += part.frames
            if part.data:
                body.append(pack_frame(Kind.LINES, pa.py_buffer(part.data)))
        self._send("stage_rows", [*body, END])
        self._sent += 1
        self._waiting, self._waiting_bytes = [], 0


class RemoteRewriter:
    """Implements `puppylog.stores.rewriting.StreamRewriter`, given `_connection` and `_session`."""

    _connection: Connection
    _session: Session
    full_bytes: int

    @property
    def _keeps_lines(self) -> bool:
        """Whether the store may refuse rows, and then needs their lines."""
        raise NotImplementedError

    def rewriting(self, file: ReadFile) -> RemoteRewriting:
        part_bytes = min(_PART_BYTES, self.full_bytes)
        return RemoteRewriting(
            file, self._send, self._session.ask, part_bytes=part_bytes, keeps_lines=self._keeps_lines
        )

    def _send(self, call: str, body: Sequence[bytes]) -> None:
        def send() -> None:
            with self._connection.open(call, body, session=self._session.id) as answer:
                answer.read_json()

        self._session.run(send)

    def delete_stream(self, stream_id: int) -> DeletedStream:
        return DeletedStream(**self._session.ask("delete_stream", {"stream_id": stream_id}))
