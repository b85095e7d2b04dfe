"""Texts as JSON strings, written in the one way that every reader writes them.

Only what must be escaped is: quotes, backslashes and control characters. Everything else stays as it is.
"""

from typing import Final

_ESCAPES: Final = {code: f"\\u{code:04x}" for code in range(0x20)} | {
    ord('"'): '\\"',
    ord("\\"): "\\\\",
    ord("\b"): "\\b",
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\f"): "\\f",
    ord("\r"): "\\r",
}


def quote(text: str) -> str:
    """Return ``text`` as a JSON string."""
    return f'"{text.translate(_ESCAPES)}"'
