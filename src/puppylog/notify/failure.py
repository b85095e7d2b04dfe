"""How contacts say that a message was not accepted, without a word of their secrets."""

import email.utils
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from puppylog.errors import DeliveryFailed
from puppylog.notify.text import cut_text

_MAX_ANSWER: Final = 200  # characters of a receiver's answer
_MAX_RETRY_AFTER_S: Final = 86_400.0
_MIN_SECRET: Final = 4  # characters; a shorter text occurs by chance
_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]+)?")

# HTTP's time-out of a request, and too many requests. Both say that the same request may succeed later.
_RETRIED: Final = frozenset({408, 425, 429})


def failed(
    contact: str,
    cause: str,
    advice: str = "",
    *,
    server: str = "",
    is_final: bool = False,
    retry_after_s: float | None = None,
) -> DeliveryFailed:
    """Return the error that a contact did not accept a message.

    Args:
        contact: the name of the contact.
        cause: why, without a secret.
        advice: what the user can do about it.
        server: where the message was sent to, without a secret, such as ``https://hooks.slack.com``.
        is_final: whether a later attempt would fail in the same way.
        retry_after_s: how long the receiver asks to wait, in seconds.
    """
    thing = f"the message to contact {contact!r}" + (f" at {server}" if server else "")
    return DeliveryFailed("send", thing, cause, advice, is_final=is_final, retry_after_s=retry_after_s)


def is_retried(status: int) -> bool:
    """Return whether a request that was answered with this HTTP status may succeed later."""
    return status in _RETRIED or status >= 500


def first_line(answer: str, secrets: Iterable[str] = ()) -> str:
    r"""Return the first line of a receiver's answer that is not empty, cleaned, cut, and without the secrets.

    >>> first_line("\n  invalid_token abcdef\nmore", ["abcdef"])
    'invalid_token ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET:
            answer = answer.replace(secret, "***")
    line = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    return cut_text(line, _MAX_ANSWER)


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait, at most a day; None if it says nothing.

    >>> parse_retry_after("Mon, 18 May 2026 12:01:00 GMT", datetime(2026, 5, 18, 12, tzinfo=UTC))
    60.0

    Args:
        header: seconds, or a date of HTTP.
        now: the present.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            at = email.utils.parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(0.0, seconds), _MAX_RETRY_AFTER_S) if math.isfinite(seconds) else None


def server_of(url: str) -> str:
    """Return scheme, host and port of a URL. The rest of it may be a secret.

    >>> server_of("https://user:password@hooks.example.com:8443/services/T0/secret?token=1")
    'https://hooks.example.com:8443'
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not parts.scheme or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    return cut_text(f"{parts.scheme}://{host}" + (f":{port}" if port else ""), _MAX_ANSWER)


def secrets_of_url(url: str) -> set[str]:
    """Return the parts of a URL that may be secrets: its user and password, its path, and the parts of its path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return {url}
    found = {parts.username, parts.password, parts.path, parts.query, *parts.path.split("/")}
    texts = {secret for secret in found if secret} | {url}
    return texts | set(map(unquote, texts))
