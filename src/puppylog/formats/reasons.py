"""Why a line is rejected: what the small closed sets of the formats have in common."""

from enum import IntEnum
from typing import Self


class TextReason(IntEnum):
    """A number, by which readers know it, and the text that the store keeps."""

    text: str

    def __new__(cls, code: int, text: str) -> Self:
        reason = int.__new__(cls, code)
        reason._value_ = code
        reason.text = text
        return reason
