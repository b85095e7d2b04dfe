"""The journal as a source: which one, and which of its entries, written as one text that is given like a path.

The text is ``journal:``, the directory of the journal's files if it is not the one of this machine, and a query with
the units and matches: ``journal:/var/log/journal/remote?unit=nginx.service&match=_HOSTNAME=web1``. Two texts with the
same meaning are written the same way, because a stream is found by this text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, quote, unquote

from puppylog.errors import UsageError

SCHEME: Final = "journal:"

_UNIT_TYPES: Final = (
    *("service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope"),
)
_MATCH: Final = re.compile(r"[A-Z_][A-Z0-9_]*=.+", re.DOTALL)
_OF_MACHINE: Final = "_MACHINE_ID="
_MACHINE_ID: Final = Path("/etc/machine-id")
_SAFE: Final = "/=@:.,_-"  # characters that a query may have as they are


@dataclass(frozen=True, slots=True)
class JournalSource:
    """Entries of a journal.

    Example:
        >>> JournalSource.parse("journal:?unit=nginx").text
        'journal:?unit=nginx.service'
        >>> JournalSource("/srv/journals", units=("nginx.service",)).arguments
        ['--merge', '--directory=/srv/journals', '--unit=nginx.service']
    """

    directory: str = ""
    """The absolute path of the directory with the journal's files; empty for the journal of this machine."""
    units: tuple[str, ...] = ()
    """Only entries of these units of systemd, or about them; all if there is none."""
    matches: tuple[str, ...] = ()
    """``FIELD=value``: only entries that have the field with the value. Values of one field are alternatives."""

    @classmethod
    def make(cls, directory: str = "", units: Sequence[str] = (), matches: Sequence[str] = ()) -> Self:
        """Return the source, with each unit and match once and in order.

        Raises:
            UsageError: a unit, a match or the directory is not of the form that journalctl knows.
        """
        if directory and not directory.startswith("/"):
            raise UsageError("use", f"the journal directory {directory!r}", "it must be an absolute path")
        return cls(
            directory.rstrip("/") if directory != "/" else directory,
            tuple(sorted({_parse_unit(unit) for unit in units})),
            tuple(sorted({_parse_match(match) for match in matches})),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the source that is written as ``text``.

        Raises:
            UsageError: the text has another form.
        """
        directory, _, query = text.removeprefix(SCHEME).partition("?")
        found: dict[str, list[str]] = {"unit": [], "match": []}
        for key, value in parse_qsl(query, keep_blank_values=True):
            if key not in found:
                raise UsageError("use", f"the source {text!r}", f"{key!r} is not one of {', '.join(found)}")
            found[key].append(value)
        return cls.make(unquote(directory), found["unit"], found["match"])

    @property
    def text(self) -> str:
        """The source as one text, from which `parse` returns the source."""
        query = [("unit", unit) for unit in self.units] + [("match", match) for match in self.matches]
        written = "&".join(f"{key}={quote(value, safe=_SAFE)}" for key, value in query)
        return SCHEME + quote(self.directory) + (f"?{written}" if written else "")

    @property
    def arguments(self) -> list[str]:
        """The arguments with which journalctl reads these entries.

        Without ``--merge``, a journalctl that follows gives only entries of the last boot. But ``--merge`` reads the
        journals of other machines, too, that this one has received; without a directory, they are left out by a match.
        """
        location = [f"--directory={self.directory}"] if self.directory else []
        matches = [*self.matches]
        if not self.directory and not any(match.startswith(_OF_MACHINE) for match in matches):
            matches += _match_machine()
        return ["--merge", *location, *(f"--unit={unit}" for unit in self.units), *matches]


def _match_machine() -> list[str]:
    try:
        machine_id = _MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return []
    return [_OF_MACHINE + machine_id] if re.fullmatch("[0-9a-f]{32}", machine_id) else []


def is_journal(path: str) -> bool:
    """Return whether a source that is given like a path is a journal."""
    return path.startswith(SCHEME)


def _parse_unit(unit: str) -> str:
    """Return the whole name of a unit: without a type, it is a service."""
    if not unit or re.search(r"[\s*?\[\]/\0]", unit):
        raise UsageError(
            "use", f"the unit {unit!r}", "it must be the name of one unit", advice="patterns are not supported"
        )
    return unit if unit.rpartition(".")[2] in _UNIT_TYPES else f"{unit}.service"


def _parse_match(match: str) -> str:
    if _MATCH.fullmatch(match) is None or "\0" in match:
        raise UsageError("use", f"the match {match!r}", "it must be FIELD=value, such as _HOSTNAME=web1")
    return match
