r"""Log text is hostile: a character that a terminal obeys, hides or reorders is shown as an escape such as ``\x1b``.

The rule: a character that is not printable for Python (`str.isprintable`) is never written as itself. These are the
control characters of C0 and C1, line and paragraph separators, bidirectional overrides, zero-width and other format
characters, lone surrogates, and code points that are not assigned. Combining marks stay, because names need them.
A byte of a file's name that is not UTF-8, which Python has as a surrogate, is shown as that byte: ``\xff``.
"""

from typing import Final

# Where Python's `surrogateescape` puts the bytes 0x80 to 0xff.
_UNDECODED_BYTES: Final = range(0xDC80, 0xDD00)


def clean(text: str) -> str:
    r"""Return ``text`` on one line and safe for a terminal: ``"a\x1b[2J"`` becomes ``"a\\x1b[2J"``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code - 0xDC00:02x}" if code in _UNDECODED_BYTES else char.encode("unicode_escape").decode()


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
