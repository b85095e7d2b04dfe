"""A command: the fields of the message are in its environment, and the whole message is JSON on its standard input."""

import errno
import json
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final

from puppylog.notify.alertmanager_form import webhook_payload, write_instant
from puppylog.notify.contact import Delivery
from puppylog.notify.failure import failed, first_line
from puppylog.notify.message import Message
from puppylog.notify.render import SIZES, compose, format_plain, format_title
from puppylog.notify.text import cut_text, one_line

_MAX_OUTPUT_BYTES: Final = 4_096
_MAX_VARIABLE: Final = 4_000  # characters; the system limits a variable to 128 KiB
_POLL_S: Final = 0.02
_KILLED_WITHIN_S: Final = 1.0

# Errors of the machine, not of the command: no memory, no processes, no descriptors, no disk space.
_PASSING: Final = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.ETXTBSY, errno.EIO}
)

PASSED_ON: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER")
"""The variables that a command gets from its caller. Others may hold secrets of other contacts."""


@dataclass(frozen=True, kw_only=True)
class Exec:
    """A command of the user, run without a shell.

    Attributes:
        name: by which an alert names the contact.
        command: the program and its arguments.
        timeout_s: how long it may run; it and what it started are killed then.
    """

    type: ClassVar[str] = "exec"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str
    command: tuple[str, ...]
    timeout_s: float = 15.0

    def send(self, message: Message, delivery: Delivery) -> str:
        """Run the command. See `puppylog.notify.contact.Contact`.

        The message is accepted if the exit code is 0. Otherwise the command is run again later.
        """
        deadline = min(delivery.deadline, time.monotonic() + self.timeout_s)
        process = self._start(message, delivery.environ)
        try:
            output, was_killed = _wait(process, deadline)
        finally:
            if process.stdout is not None:
                process.stdout.close()
        line = first_line(output)
        if process.returncode == 0:
            return f"exit code 0{f': {line}' if line else ''}"
        said = f", and said: {line}" if line else ""
        if was_killed:
            raise failed(self.name, f"the command did not end in time, and was killed{said}")
        raise failed(self.name, f"the command ended with exit code {process.returncode}{said}")

    def _start(self, message: Message, environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start the command with the message. The payload is a file, so the command may read it slowly."""
        passed_on = {name: environ[name] for name in PASSED_ON if name in environ}
        try:
            with tempfile.TemporaryFile() as payload:
                payload.write(json.dumps(webhook_payload(message, self.name)).encode())
                payload.seek(0)
                return subprocess.Popen(
                    list(self.command),
                    stdin=payload,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env={**passed_on, **variables_of(message)},
                    start_new_session=True,  # a process group of its own, which can be killed as a whole
                )
        except OSError as error:
            cause = f"the command does not start: {str(error.strerror or error).lower()}"
            raise failed(self.name, cause, is_final=error.errno not in _PASSING) from None
        except (ValueError, IndexError):
            cause = "the command does not start: it is empty, or has a character that is not allowed"
            raise failed(self.name, cause, is_final=True) from None


def variables_of(message: Message) -> dict[str, str]:
    """Return the variables of the environment that describe the message. Without NUL and other control characters."""
    report = message.segments[0]
    variables = {
        "ALERT": message.alert,
        "ALERT_KIND": str(message.kind),
        "ALERT_TITLE": format_title(message),
        "ALERT_SUMMARY": message.summary,
        "ALERT_SEVERITY": message.severity,
        "ALERT_METRIC": message.metric,
        "ALERT_COMPARISON": str(message.comparison.value),
        "ALERT_THRESHOLD": repr(message.threshold),
        "ALERT_VALUE": "" if report.value is None else repr(report.value),
        "ALERT_SEGMENT": report.segment or "",
        "ALERT_SEGMENTS": str(message.count),
        "ALERT_SINCE": write_instant(report.since),
        "ALERT_ENDED": "" if report.ended_at is None else write_instant(report.ended_at),
        "ALERT_KEY": report.key,
        "ALERT_LINK": message.link,
        "ALERT_COMMAND": message.command,
        "ALERT_STORE": message.store,
        "ALERT_TEST": "1" if message.is_test else "",
    }
    cleaned = {f"PUPPYLOG_{name}": cut_text(value, _MAX_VARIABLE) for name, value in variables.items()}
    lines = format_plain(compose(message, SIZES[1])).split("\n")
    return {**cleaned, "PUPPYLOG_ALERT_TEXT": "\n".join(map(one_line, lines))}


def _wait(process: "subprocess.Popen[bytes]", deadline: float) -> tuple[str, bool]:
    """Wait for the command to end, and kill its process group at the deadline.

    Returns:
        The beginning of its output, and whether it was killed.
    """
    output = b""
    stream = process.stdout
    assert stream is not None  # noqa: S101 - it is a pipe
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        is_open = True
        # A process that the command leaves behind may keep the pipe open, so the end of the pipe is not waited for.
        while process.poll() is None and time.monotonic() < deadline:
            left = max(0.0, deadline - time.monotonic())
            if not is_open:
                time.sleep(min(_POLL_S, left))
            elif selector.select(min(_POLL_S, left)):
                piece = os.read(stream.fileno(), _MAX_OUTPUT_BYTES)
                is_open = bool(piece)
                output += piece[: _MAX_OUTPUT_BYTES - len(output)]
        was_killed = process.poll() is None
        if was_killed:
            _kill(process)
        while is_open and len(output) < _MAX_OUTPUT_BYTES and selector.select(0):
            piece = os.read(stream.fileno(), _MAX_OUTPUT_BYTES)
            is_open = bool(piece)
            output += piece
    return output.decode("utf-8", "replace"), was_killed


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process group. A command that runs as another user cannot be killed, and is left alone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(_KILLED_WITHIN_S)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name="puppylog-exec", daemon=True).start()  # until it ends by itself
