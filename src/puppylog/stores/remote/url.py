"""The URL of a remote store."""

import re
from typing import Final
from urllib.parse import urlsplit

from puppylog.errors import ConfigurationError

DEFAULT_PORT: Final = 7380

_ALLOWED: Final = re.compile(r"[A-Za-z0-9._~%/:\[\]-]*")


def parse_remote_url(url: str) -> str:
    """Return the URL in its normal form: scheme, host, port, and the path before ``/api`` without a slash at its end.

    >>> parse_remote_url("https://Logs.example.com/")
    'https://logs.example.com:7380'
    >>> parse_remote_url("https://example.com:443/puppylog/")
    'https://example.com:443/puppylog'

    Raises:
        ConfigurationError: ``url`` is no such URL, or has a user, a password or parameters. The message does not repeat
            it.
    """
    scheme, _, rest = url.partition("://")
    if "@" in rest or "?" in rest or "#" in rest:
        raise ConfigurationError(
            "open",
            f"store {scheme.lower()}://…",
            "its URL has a user, a password or parameters",
            advice="put the token into PUPPYLOG_TOKEN, or its file into token_file or PUPPYLOG_TOKEN_FILE",
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORT
    except ValueError:
        host, port = "", 0
    if not host or not _ALLOWED.fullmatch(rest):
        raise ConfigurationError("open", f"store {scheme.lower()}://…", advice="write https://host:7380")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme.lower()}://{shown}:{port}{parts.path.rstrip('/')}"
