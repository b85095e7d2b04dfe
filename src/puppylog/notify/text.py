r"""Texts of logs in messages: on one line, without control characters, and with every cut announced.

A character that is not printable for Python (`str.isprintable`) never gets into a message. These are control
characters, line separators, bidirectional overrides, zero-width characters, lone surrogates and unassigned code points.
"""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

_LINE_BREAK: Final = re.compile(r"[ \t]*(?:\r\n|[\n\r\v\f\x85\u2028\u2029])[ \t]*")
_LINK: Final = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+")
_LINE_BREAK_SIGN: Final = " ⏎ "


def one_line(text: str) -> str:
    r"""Return ``text`` on one line: line breaks as a sign, tabs as blanks, other control characters as escapes.

    >>> one_line("Traceback:\n  File \x1b[31mx")
    'Traceback: ⏎ File \\x1b[31mx'
    """
    if text.isprintable():
        return text
    text = _LINE_BREAK.sub(_LINE_BREAK_SIGN, text.strip()).replace("\t", " ")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def cut_text(text: str, most: int) -> str:
    """Return ``text`` on one line and cut to about ``most`` characters; a cut says how many characters it left out.

    >>> cut_text("a" * 100, 10)
    'aaaaaaaaaa… (+90 characters)'
    """
    text = one_line(text)
    if len(text) <= most:
        return text
    return f"{text[:most]}… (+{len(text) - most:,} characters)"


def without_backticks(text: str) -> str:
    """Return text that cannot end a block of code, in which Markdown has no escapes: a similar character instead.

    >>> without_backticks("`` `")
    '\N{MODIFIER LETTER GRAVE ACCENT}\N{MODIFIER LETTER GRAVE ACCENT} \N{MODIFIER LETTER GRAVE ACCENT}'
    """
    return text.replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")


def checked_link(link: str) -> str:
    """Return the URL of a page, or an empty text if it is none: Alertmanager and PagerDuty refuse a message with it.

    >>> checked_link("https://logs.example.com/alerts/errors"), checked_link("logs"), checked_link("http://a b")
    ('https://logs.example.com/alerts/errors', '', '')
    """
    is_link = _LINK.fullmatch(link) is not None
    return link if is_link else ""


def format_instant(instant: datetime, zone: tzinfo | None = UTC) -> str:
    """Return ``instant`` with its date and its zone, because a message is read on another day and another machine.

    >>> format_instant(datetime(2026, 5, 18, 12, 0, 5, tzinfo=UTC))
    '2026-05-18 12:00:05 UTC'
    """
    try:
        local = instant.astimezone(zone)
    except (OverflowError, ValueError):  # within a day of the first or last instant that Python has
        return instant.isoformat()
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or ''}".rstrip()
