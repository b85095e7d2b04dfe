"""Names of metrics, alerts and groups. They become SQL identifiers, so each is checked here when it is read."""

import re

from puppylog.errors import UsageError

# PostgreSQL cuts names at 63 bytes without an error. Below that, 15 bytes are left for a suffix.
MAX_LENGTH = 48
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")


def parse_identifier(text: str, what: str) -> str:
    """Return ``text`` if it is a valid name. ``what`` is the kind of thing it names, for the message: ``"metric"``.

    Raises:
        UsageError: ``text`` is empty, longer than `MAX_LENGTH`, starts with a digit, or has a character outside
            ``a-z 0-9 _``.
    """
    shown = repr(text) if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]!r}…"
    if not _IDENTIFIER.fullmatch(text):
        raise UsageError(
            "name",
            f"{what} {shown}",
            "a name has lower-case letters, digits and '_' only, and does not start with a digit",
        )
    if len(text) > MAX_LENGTH:
        raise UsageError("name", f"{what} {shown}", f"a name has at most {MAX_LENGTH} characters")
    return text
