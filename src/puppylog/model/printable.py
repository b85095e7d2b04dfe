r"""Log text is hostile: a character that a terminal obeys, hides or reorders is shown as an escape such as ``\x1b``.

The rule: a character that is not printable for Python (`str.isprintable`) is never written as itself. These are the
control characters of C0 and C1, line and paragraph separators, bidirectional overrides, zero-width and other format
characters, lone surrogates, and code points that are not assigned. Combining marks stay, because names need them.
"""


def clean(text: str) -> str:
    r"""Return ``text`` on one line and safe for a terminal: ``"a\x1b[2J"`` becomes ``"a\\x1b[2J"``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def clean_json(document: str) -> str:
    r"""Return the JSON ``document``, a single line, with each character that is not printable as ``\uXXXX``.

    The result decodes to the same value.
    """
    if document.isprintable():
        return document
    return "".join(char if char.isprintable() else _json_escape(char) for char in document)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
