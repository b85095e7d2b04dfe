"""The severity of a record, and the word that the line has for it. ``native/severity.c`` does the same in C.

The column ``severity`` has the word of the scale. If the line has another word for it, such as ``WARN``, the attribute
``severity_text`` keeps that word. A single letter, a number or a sign is not kept: it says nothing more.
"""

from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member
from puppylog.model.severity import find_severity

KEY = "severity_text"


def severity_columns(written: str) -> tuple[str | None, list[Member]]:
    """Return the severity that a word means, and the members of ``attributes`` that it adds.

    Args:
        written: the word in the line, without brackets around it.

    >>> severity_columns("WARN")
    ('warning', [('severity_text', '"WARN"')])
    >>> severity_columns("Error")
    ('error', [])
    >>> severity_columns("loud")
    (None, [])
    """
    severity = find_severity(written)
    if severity is None or written.lower() == severity:
        return severity, []
    return severity, [(KEY, quote(written))]
