"""The scale of severities, and the spellings that logs have of each severity.

A record of a new line has one of the nine names. A record that an older Puppylog stored may have any spelling, so
everything that compares severities goes through `find_severity`, or through `severity_number` in SQL.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final


@dataclass(frozen=True, slots=True)
class Severity:
    """One severity of the scale."""

    name: str
    number: int  # the severity number of OpenTelemetry, from 1 to 24
    spellings: tuple[str, ...]  # in lower case, the name first


def _severity(name: str, number: int, spellings: str) -> Severity:
    return Severity(name, number, (name, *spellings.split()))


SEVERITIES: Final = (
    _severity("trace", 1, "trc trce trac verbose vrb verb finest silly trace2 trace3 trace4 debug-4"),
    _severity("debug", 5, "dbg dbug debu fine finer config debug1 debug2 debug3 debug4 debug5"),
    _severity("info", 9, "inf information informational informative log info2 info3 info4"),
    _severity("notice", 10, "note ntc notification success info+2"),
    _severity("warning", 13, "warn wrn warni warnings warn2 warn3 warn4"),
    _severity("error", 17, "err erro eror severe fail failure error2 error3 error4"),
    _severity("critical", 18, "crit crt fatal ftl fata dpanic panic pani pnc fatal2 fatal3 fatal4 error+4"),
    _severity("alert", 19, "alrt"),
    _severity("emergency", 21, "emerg emrg"),
)
"""From the least to the most severe. Spellings with a digit are those of OpenTelemetry (``INFO2``) and of PostgreSQL
(``DEBUG1``); spellings with a sign are those of Go's ``slog`` for levels between its own."""

SCALE: Final = tuple(severity.name for severity in SEVERITIES)

NUMBERS: Final[Mapping[str, int]] = {severity.name: severity.number for severity in SEVERITIES}

_STEPS: Final[Mapping[str, int]] = {
    spelling: step for step, severity in enumerate(SEVERITIES) for spelling in severity.spellings
}

_FATAL = 21  # the first of OpenTelemetry's numbers that are called FATAL
_MAX_NUMBER = 24


def find_severity(word: str) -> str | None:
    """Return the name of a severity in any spelling; None if the word is not a severity.

    The word has no brackets around it. Single letters and numbers are not spellings: what they mean depends on the
    format.

    >>> find_severity("WARN"), find_severity("Information"), find_severity("7")
    ('warning', 'info', None)
    """
    step = find_step(word)
    return None if step is None else SCALE[step]


def find_step(word: str) -> int | None:
    """Return the rank of a severity in any spelling on the scale, from 0 for ``trace``; None for another word."""
    return _STEPS.get(word.lower()) if word.isascii() else None


def find_number(word: str) -> int | None:
    """Return OpenTelemetry's number of a severity in any spelling; None for another word."""
    step = find_step(word)
    return None if step is None else SEVERITIES[step].number


def spelling_pattern(steps: Iterable[int]) -> str:
    """Return a regular expression that matches every spelling of the severities with these ranks."""
    words = [re.escape(spelling) for step in steps for spelling in SEVERITIES[step].spellings]
    return f"(?i)^(?:{'|'.join(words)})$"


def renew_patterns(condition: str) -> str:
    """Return a filter of an older Puppylog as this one writes it: its patterns of severities have all spellings.

    A metric keeps the filter with which its buckets were computed. So a definition that is compared with a stored one
    is compared with what this returns for the stored filter.
    """
    if "(?i)^(?:" not in condition:
        return condition
    for start, stop in combinations(range(len(_OLD_SPELLINGS) + 1), 2):
        old = f"(?i)^(?:{'|'.join(_OLD_SPELLINGS[start:stop])})$"
        condition = condition.replace(f"'{old}'", f"'{spelling_pattern(range(start, stop))}'")
    return condition


_OLD_SPELLINGS: Final = (
    *("trace", "debug", "info|information|informational", "notice", "warning|warn", "error|err", "critical|crit|fatal"),
    *("alert", "emergency|emerg|panic"),
)


def number_sql(text: str) -> str:
    """Return the SQL of OpenTelemetry's number of the severity that the SQL ``text`` is; null if it is none."""
    whens = "".join(f" WHEN '{word}' THEN {NUMBERS[SCALE[step]]}" for word, step in _STEPS.items())
    return f"(CASE LOWER({text}){whens} END)"


def name_sql(text: str) -> str:
    """Return the SQL of the name of the severity that the SQL ``text`` is; the text itself if it is none.

    Nearly all texts are names already, and a list of nine is searched faster than that of all spellings.
    """
    names = ", ".join(f"'{name}'" for name in SCALE)
    whens = "".join(f" WHEN '{word}' THEN '{SCALE[step]}'" for word, step in _STEPS.items())
    return f"(CASE WHEN {text} IN ({names}) THEN {text} ELSE CASE LOWER({text}){whens} ELSE {text} END END)"


def name_of_number(number: int) -> str | None:
    """Return the name of the severity that a sender means by a number of OpenTelemetry; None if it is not 1 to 24.

    A number between two of the scale means the lower one. 21 to 24 are FATAL, which is ``critical`` as in all logs.
    Only a word says ``emergency``.

    >>> name_of_number(9), name_of_number(10), name_of_number(14), name_of_number(21)
    ('info', 'notice', 'warning', 'critical')
    """
    if not 1 <= number <= _MAX_NUMBER:
        return None
    if number >= _FATAL:
        return "critical"
    return next(severity.name for severity in reversed(SEVERITIES) if severity.number <= number)
