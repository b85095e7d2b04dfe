"""Finds the host in what a line says about a client. ``native/host.c`` does the same in C.

A host has no port. Of a list of forwarded addresses, it is the first one, which is the client's. What is left out
becomes the attributes ``client_port`` and ``forwarded_for``.
"""

import re
from dataclasses import dataclass

_NAME = r"[0-9A-Za-z._%\x80-\U0010ffff-]+"
_PORT = r"(?::(?P<port>0|[1-9][0-9]{0,4}))?"
_BRACKETED = re.compile(rf"\[(?P<host>[0-9A-Za-z.:%]*:[0-9A-Za-z.:%]*)\]{_PORT}")
_WITH_PORT = re.compile(rf"(?P<host>{_NAME}){_PORT}")
_IPV6 = re.compile(r"(?P<host>[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*(?:%[0-9A-Za-z._-]+)?)(?P<port>)")
_SOCKET = re.compile(r"(?P<host>unix:)(?P<port>)")


@dataclass(frozen=True, slots=True)
class Host:
    """A host, and what the text says more."""

    name: str
    port: str = ""  # in digits; empty if the text has none
    is_first: bool = False  # of a list


def read_host(text: str) -> Host | None:
    """Return the host in a text; None if the text is not a host.

    >>> read_host("192.0.2.1:34567")
    Host(name='192.0.2.1', port='34567', is_first=False)
    >>> read_host("198.51.100.9, 192.0.2.1").name
    '198.51.100.9'
    >>> read_host("cron[77]") is None
    True
    """
    first, comma, _ = text.partition(",")
    first = first.strip(" ")
    for form in (_WITH_PORT, _IPV6, _BRACKETED, _SOCKET):
        if match := form.fullmatch(first):
            return Host(match["host"], match["port"] or "", bool(comma))
    return None
