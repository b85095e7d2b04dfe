"""A proxy that replaces the text of a server's errors, as if ``lc_messages`` of the server named another language.

The proxy needs no translations and no locale on the server, and its language has no word in common with English.
"""

import contextlib
import socket

from support.cut_wire import CHUNK, CutWire, _Connection

SEVERITY = "エラー"
WORDS = "要求を実行できません"
_TRANSLATED = {b"S": SEVERITY, b"M": WORDS}  # the V field keeps the severity in English
_ADVICE = {b"H", b"D"}


class ForeignServer(CutWire):
    """The proxy. Clients must connect with ``sslmode=disable``. Usable with ``with``."""

    def _carry_answers(self, connection: _Connection) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while data := connection.server.recv(CHUNK):
                held += data
                while len(held) >= 5 and len(held) > (size := int.from_bytes(held[1:5], "big")):
                    message, held = held[: size + 1], held[size + 1 :]
                    connection.client.sendall(_translate(message))
        with contextlib.suppress(OSError):
            connection.client.shutdown(socket.SHUT_WR)


def _translate(message: bytes) -> bytes:
    """Return a message of the server. Severity and text of an error or notice are replaced, detail and hint removed."""
    kind, body = message[:1], message[5:]
    if kind not in {b"E", b"N"}:
        return message
    fields = [(field[:1], field[1:]) for field in body.split(b"\0") if field]
    kept = [(name, _TRANSLATED.get(name, text.decode()).encode()) for name, text in fields if name not in _ADVICE]
    translated = b"".join(name + text + b"\0" for name, text in kept) + b"\0"
    return kind + (len(translated) + 4).to_bytes(4, "big") + translated
