"""Finds the SQLSTATE with which a server refuses a connection.

libpq does not return it: a failed connection gives only a text, in the language of the server. But libpq can trace the
messages between client and server, and the refusal is among them. So for a text that is not recognized, this module
connects a second time with a trace. The trace is in memory, because it may contain a password. Each text is looked up
only once, because libpq frees the memory of a trace only when the process ends.
"""

import os
import re
import select
import threading
import time
from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

_REFUSAL: Final = re.compile(rb'\tErrorResponse\t.*? C "([0-9A-Z]{5})"')
_WAIT_S: Final = 10.0
_MAX_TEXTS: Final = 100

_known: dict[tuple[str, str], str] = {}  # under _lock
_lock: Final = threading.Lock()


def find_refusal(url: str, defaults: Mapping[str, str], text: str) -> str:
    """Return the SQLSTATE with which the server refuses a connection.

    Args:
        url: the URL of the store.
        defaults: parameters of libpq that the URL does not give.
        text: libpq's text about the failed connection.

    Returns:
        Five characters, such as ``"3D000"``; empty if the server did not refuse the connection, or if libpq cannot
        trace on this system.
    """
    with _lock:
        if (url, text) in _known:
            return _known[url, text]
    state = _ask(make_conninfo(url, **defaults))
    if state is None:
        return ""
    with _lock:
        if len(_known) >= _MAX_TEXTS:
            _known.clear()
        _known[url, text] = state
    return state


def _ask(conninfo: str) -> str | None:
    """Connect with a trace and return the SQLSTATE of the refusal; None if the connection succeeds this time."""
    if not hasattr(os, "memfd_create"):
        return ""  # psycopg can trace on Linux only
    record = os.memfd_create("puppylog-refusal")
    try:
        connection = pq.PGconn.connect_start(conninfo.encode())
        try:
            connection.trace(record)
            is_connected = _wait(connection)
        finally:
            connection.untrace()  # flushes the trace, before the number of the descriptor can belong to another file
            connection.finish()
        states = _REFUSAL.findall(os.pread(record, 1 << 20, 0))
    except psycopg.Error:
        return ""
    finally:
        os.close(record)
    if is_connected:
        return None
    return states[-1].decode() if states else ""


def _wait(connection: pq.abc.PGconn) -> bool:
    """Return whether the connection succeeds within _WAIT_S."""
    deadline = time.monotonic() + _WAIT_S
    while (status := connection.connect_poll()) not in (pq.PollingStatus.OK, pq.PollingStatus.FAILED):
        socket = [connection.socket]
        is_reading = status == pq.PollingStatus.READING
        left_s = max(0.0, deadline - time.monotonic())
        if not any(select.select(socket if is_reading else [], [] if is_reading else socket, [], left_s)):
            return False
    return status == pq.PollingStatus.OK
