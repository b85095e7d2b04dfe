"""The scale of severities, and the spellings that logs have of each."""

from typing import Final

SCALE: Final[tuple[tuple[str, ...], ...]] = (
    ("trace",),
    ("debug",),
    ("info", "information", "informational"),
    ("notice",),
    ("warning", "warn"),
    ("error", "err"),
    ("critical", "crit", "fatal"),
    ("alert",),
    ("emergency", "emerg", "panic"),
)
"""From the least to the most severe; the first spelling of each is its name."""


def find_step(word: str) -> int | None:
    """Return where a severity stands on the scale, however it is spelt, or None."""
    return next((step for step, spellings in enumerate(SCALE) if word.lower() in spellings), None)
