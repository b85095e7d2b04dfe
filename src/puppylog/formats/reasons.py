"""The base of the enumerations that list why a format rejects lines."""

from enum import IntEnum
from typing import Self


class TextReason(IntEnum):
    """A reason: its number is used by the readers, its ``text`` is kept by the store."""

    text: str

    def __new__(cls, code: int, text: str) -> Self:
        reason = int.__new__(cls, code)
        reason._value_ = code
        reason.text = text
        return reason
