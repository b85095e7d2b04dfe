"""Receivers of messages on loopback: HTTP and SMTP in one process that a test can kill, and a command.

Each message is written to a file before it is accepted, so a receiver that is killed has not accepted what it lost.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from aiosmtpd.controller import Controller

http_port, smtp_port, webhooks, mails = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]

def keep(path, line):
    with open(path, "ab") as file:
        file.write(b"\\n" + line + b"\\n")  # a line that a kill has cut stays alone

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        keep(webhooks, self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words):
        pass

class Mailbox:
    async def handle_DATA(self, server, session, envelope):
        keep(mails, json.dumps(envelope.content.decode("utf-8", "replace")).encode())
        return "250 OK"

class Reusing(ThreadingHTTPServer):
    daemon_threads = True

Controller(Mailbox(), hostname="127.0.0.1", port=smtp_port).start()
Reusing(("127.0.0.1", http_port), Handler).serve_forever()
"""

COMMAND = """\
import os, sys
line = "\\n" + sys.stdin.read().replace("\\n", " ") + "\\n"
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(file, line.encode())
"""


def find_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Receivers:
    """The receivers and what they accepted. Usable with ``with``."""

    def __init__(self, directory: Path) -> None:
        self.http_port, self.smtp_port = find_free_port(), find_free_port()
        self._webhooks, self._mails, self._commands = (directory / name for name in ("webhooks", "mails", "commands"))
        for path in (self._webhooks, self._mails, self._commands):
            path.touch()
        self._script = directory / "receive.py"
        self._script.write_text(COMMAND)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        """A command that keeps the payload on its standard input."""
        return [sys.executable, "-I", "-S", str(self._script), str(self._commands)]

    def start(self) -> None:
        """Start the servers, and return when they answer."""
        words = [str(self.http_port), str(self.smtp_port), str(self._webhooks), str(self._mails)]
        self._process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", SERVER, *words])
        deadline = time.monotonic() + 60
        while not all(map(_answers, (self.http_port, self.smtp_port))):
            assert self._process.poll() is None, "the receivers ended at once"
            assert time.monotonic() < deadline, "the receivers do not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(60)
            self._process = None

    def webhooks(self) -> list[dict[str, Any]]:
        """Return the payloads that the HTTP server accepted, in order. The last line may be cut by a kill."""
        return list(_read_lines(self._webhooks))

    def commands(self) -> list[dict[str, Any]]:
        """Return the payloads that the command took."""
        return list(_read_lines(self._commands))

    def mails(self) -> list[str]:
        """Return the e-mails, with their headers."""
        return list(_read_lines(self._mails))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def _read_lines(path: Path) -> Iterator[Any]:
    for line in path.read_bytes().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # a killed process wrote a part of it, and did not accept the message
