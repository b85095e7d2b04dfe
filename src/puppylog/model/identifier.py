"""Names that people give to metrics, alerts and groups: they become SQL identifiers, so they are checked once, here."""

import re

from puppylog.errors import UsageError

# 48 leaves room for a suffix below PostgreSQL's 63-byte limit, beyond which names are cut without a word.
MAX_LENGTH = 48
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")


def parse_identifier(text: str, what: str) -> str:
    """Return ``text`` if it can name ``what`` (a metric, an alert, a group).

    Raises:
        UsageError: it is empty, too long, or has a character outside ``a-z 0-9 _``.
    """
    shown = repr(text) if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]!r}…"
    if not _IDENTIFIER.fullmatch(text):
        raise UsageError(
            "name", f"{what} {shown}", "a name is lower-case letters, digits and '_', and starts with no digit"
        )
    if len(text) > MAX_LENGTH:
        raise UsageError("name", f"{what} {shown}", f"a name has at most {MAX_LENGTH} characters")
    return text
