"""Writes texts as JSON strings, in the same way as every reader.

Only quotes, backslashes and control characters are escaped.
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
