"""Tells the service manager what the process does: the protocol of systemd's sd_notify(3)."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""What the service manager sets. A child of the process must not have them."""


class ServiceSocket:
    """Sends datagrams to the service manager. Without a service manager it sends nothing, and never an error."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read from the environment where the service manager listens, and whether it wants signs of life."""
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_s = _read_watchdog(environ) if address else None
        """How many seconds without `tell_alive` until the service manager ends the process; None: it does not watch."""

    def tell_ready(self, status: str) -> None:
        self._send("READY=1", f"STATUS={status}")

    def tell_reloading(self) -> None:
        """Say that the configuration is read again. `tell_ready` must follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def tell_status(self, status: str) -> None:
        self._send(f"STATUS={status}")

    def tell_alive(self) -> None:
        self._send("WATCHDOG=1")

    def tell_stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.settimeout(1.0)
            notify.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(), self._address)


def _read_watchdog(environ: Mapping[str, str]) -> float | None:
    period, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not period.isdigit() or int(period) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(period) / 1_000_000
