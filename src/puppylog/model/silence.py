"""A silence holds back the notifications of some alerts and segments for a time. It never stops an evaluation."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from puppylog.errors import UsageError
from puppylog.model.alert import find_text_fault

_MAX_NAME = 100  # characters
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Silence:
    """A row of the table ``silences``. In a pattern ``*`` is any text, ``?`` is any character; all others are plain.

    ``starts_at`` and ``ends_at`` are aware and half-open. They are a person's instants, so they stay as they are when
    the clock is set back.
    """

    name: str
    alert: str  # a pattern of the names of alerts
    segment: str  # a pattern of segments; only "*" matches an alert that judges all segments together
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    is_declared: bool = False  # in a configuration file

    def matches(self, alert: str, segment: str | None, at: datetime) -> bool:
        """Return whether the silence holds back notifications of this alert and segment at the instant ``at``.

        Args:
            alert: the alert's name.
            segment: None if the alert judges all segments together, or if the segment's expression gives null.
            at: aware.
        """
        is_within = self.starts_at <= at < self.ends_at
        return is_within and matches_pattern(self.alert, alert) and matches_pattern(self.segment, segment)


def name_silence(alert: str, segment: str) -> str:
    """Return the name of a silence that was given none: its patterns.

    >>> name_silence("errors", "*"), name_silence("errors", "web-*")
    ('errors', 'errors/web-*')
    """
    return alert if segment == "*" else f"{alert}/{segment}"


def find_silence_state(silence: Silence, now: datetime) -> Literal["planned", "active", "ended"]:
    """Return whether a silence has not begun yet, holds back messages, or has ended."""
    if now >= silence.ends_at:
        return "ended"
    return "active" if now >= silence.starts_at else "planned"


def matches_pattern(pattern: str, text: str | None) -> bool:
    """Return whether the whole text matches the pattern; only ``*`` matches None.

    >>> matches_pattern("web-*", "web-1"), matches_pattern("[a]?", "[a]b"), matches_pattern("*", None)
    (True, True, True)
    >>> matches_pattern("?", None), matches_pattern("web", "web-1")
    (False, False)
    """
    if text is None:
        return set(pattern) == {"*"}
    return _compile(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    # Between two stars, the first match of a part is as good as any other, so no backtracking is needed: each part but
    # the last is an atomic group. Otherwise a pattern with many stars could take exponential time.
    first, *others = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", pattern))
    if not others:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)


def check_silence(silence: Silence) -> None:
    """Raise UsageError if a part of the silence is not valid.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> check_silence(Silence("upgrade", "*", "*", noon, noon, "ada", ""))
    Traceback (most recent call last):
    puppylog.errors.UsageError: cannot define silence 'upgrade': it does not end after its start
    """
    faults = {
        "it has no name": not silence.name.strip(),
        "its pattern of alerts is empty": not silence.alert,
        "its pattern of segments is empty": not silence.segment,
        "its instants have no time zone": silence.starts_at.tzinfo is None or silence.ends_at.tzinfo is None,
    }
    fault = next((fault for fault, is_present in faults.items() if is_present), None)
    if fault is None and silence.ends_at <= silence.starts_at:
        fault = "it does not end after its start"
    texts = {"name": (silence.name, _MAX_NAME), "alert": (silence.alert, _MAX_TEXT)}
    texts |= {name: (getattr(silence, name), _MAX_TEXT) for name in ("segment", "author", "comment")}
    for what, (text, most) in texts.items():
        fault = fault or find_text_fault(what, text, most)
    if fault is not None:
        raise UsageError("define", f"silence {silence.name!r}", fault)
