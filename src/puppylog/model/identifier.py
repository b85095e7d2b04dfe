"""Names of metrics, alerts and groups. They become SQL identifiers, so each is checked here when it is read."""

import re

from puppylog.errors import UsageError

# PostgreSQL cuts names at 63 bytes without an error. Below that, 15 bytes are left for a suffix.
MAX_LENGTH = 48
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
_CONTACT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


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


def find_contact_fault(name: str) -> str | None:
    """Return why a contact cannot have this name; None if it can. It is not a SQL identifier, so more is allowed.

    >>> find_contact_fault("on-call"), find_contact_fault("on call")
    (None, "'on call' is not a valid contact name: use letters, digits, '_', '-' and '.'")
    """
    if len(name) > MAX_LENGTH:
        return f"{name[:MAX_LENGTH]!r}… is not a valid contact name: it may have at most {MAX_LENGTH} characters"
    if not _CONTACT.fullmatch(name):
        return f"{name!r} is not a valid contact name: use letters, digits, '_', '-' and '.'"
    return None
