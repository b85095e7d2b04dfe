"""A source of lines: its URI, such as ``file://web1/var/log/access.log``, and how users write it."""

from urllib.parse import unquote, urlsplit


def split_uri(source_uri: str) -> tuple[str | None, str]:
    """Return the host (None if the URI has none) and the path of a source; the path of standard input is ``-``."""
    parts = urlsplit(source_uri)
    path = unquote(parts.path, errors="backslashreplace")
    return parts.netloc or None, path or "-"


def name_source(source_uri: str) -> str:
    """Return a source as users write it: ``/var/log/access.log``, or ``host:/var/log/access.log`` if it has a host."""
    host, path = split_uri(source_uri)
    return path if host is None else f"{host}:{path}"
