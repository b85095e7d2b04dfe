"""Escapes a text, so that it is a regular expression that matches the text."""

_SPECIAL = frozenset(r"\.+*?()|[]{}^$")


def escape(text: str) -> str:
    r"""Return the regular expression that matches ``text`` and nothing else.

    >>> escape("a.b")
    'a\\.b'
    """
    return "".join("\\" + character if character in _SPECIAL else character for character in text)
