"""A server that speaks another language than English: a wire before a server that replaces the words of its errors.

So do servers whose ``lc_messages`` names a language. A wire needs neither their translations nor a locale, and the
language can be one of which no word looks like an English one.
"""

import contextlib
import socket

from support.cut_wire import CHUNK, CutWire, _Line

SEVERITY = "エラー"
WORDS = "要求を実行できません"
_TRANSLATED = {b"S": SEVERITY, b"M": WORDS}  # the V field keeps the severity in English
_ADVICE = {b"H", b"D"}


class ForeignServer(CutWire):
    """Clients have to connect to it with ``sslmode=disable``. Usable with ``with``."""

    def _carry_answers(self, line: _Line) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while data := line.server.recv(CHUNK):
                held += data
                while len(held) >= 5 and len(held) > (size := int.from_bytes(held[1:5], "big")):
                    message, held = held[: size + 1], held[size + 1 :]
                    line.client.sendall(_translate(message))
        with contextlib.suppress(OSError):
            line.client.shutdown(socket.SHUT_WR)


def _translate(message: bytes) -> bytes:
    """Return a message of the server with the words of an error or a notice replaced, and without its advice."""
    kind, body = message[:1], message[5:]
    if kind not in {b"E", b"N"}:
        return message
    fields = [(field[:1], field[1:]) for field in body.split(b"\0") if field]
    kept = [(name, _TRANSLATED.get(name, text.decode()).encode()) for name, text in fields if name not in _ADVICE]
    told = b"".join(name + text + b"\0" for name, text in kept) + b"\0"
    return kind + (len(told) + 4).to_bytes(4, "big") + told
