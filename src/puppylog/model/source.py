"""A source of lines: its URI, such as ``file://web1/var/log/access.log``, and how users write it."""

from typing import Final
from urllib.parse import unquote, urlsplit

_JOURNAL: Final = "journal"


def split_uri(source_uri: str) -> tuple[str | None, str]:
    """Return the host (None if the URI has none) and the path of a source.

    The path of standard input is ``-``, and that of a journal is the text of
    `puppylog.tail.journal.source.JournalSource`, such as ``journal:?unit=nginx.service``.
    """
    parts = urlsplit(source_uri)
    path = unquote(parts.path, errors="backslashreplace")
    if parts.scheme == _JOURNAL:
        return (
            parts.netloc or None,
            f"{_JOURNAL}:{path}{parts.query and '?'}{unquote(parts.query, errors='backslashreplace')}",
        )
    return parts.netloc or None, path or "-"


def is_received(source_uri: str) -> bool:
    """Return whether a server received the lines of the source, so that it is not a file, pipe or local journal."""
    return source_uri.partition(":")[0] not in {"file", "stdin", _JOURNAL}


def name_on_host(source_uri: str) -> str:
    """Return the name of a source without its host: a path, or the URI of a source that a server received.

    >>> name_on_host("file://web1/var/log/a.log"), name_on_host("otlp://web1/cart")
    ('/var/log/a.log', 'otlp:///cart')
    """
    path = split_uri(source_uri)[1]
    return f"{source_uri.partition(':')[0]}://{path}" if is_received(source_uri) else path


def name_source(source_uri: str) -> str:
    """Return a source as users write it: ``/var/log/access.log``, or ``host:/var/log/access.log`` if it has a host.

    The name of a source that a server received is its URI, with plain characters for their codes.

    >>> name_source("file://web1/var/log/a.log"), name_source("otlp://web1/shop%20cart")
    ('web1:/var/log/a.log', 'otlp://web1/shop cart')
    """
    if is_received(source_uri):
        return decode_uri(source_uri)
    host, path = split_uri(source_uri)
    return path if host is None else f"{host}:{path}"


def decode_uri(source_uri: str) -> str:
    """Return a source URI with plain characters for their codes. A search for ``source:"…"`` finds it, too.

    >>> decode_uri("syslog://web1/x%3Cb%3E")
    'syslog://web1/x<b>'
    """
    return unquote(source_uri, errors="backslashreplace")
