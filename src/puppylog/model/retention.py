"""Which records a store keeps: by age, by the age of a group's streams, and by the size of the store."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from puppylog.errors import UsageError
from puppylog.model.identifier import parse_identifier
from puppylog.model.number import format_bytes
from puppylog.model.period import MAX_PERIOD_S, format_period

MIN_KEEP_S: Final = 3600
"""The shortest time for which records can be kept, in seconds."""

MIN_MAX_BYTES: Final = 50_000_000
"""The smallest limit of a store's size. A large batch of a backfill alone needs 20 MB."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The rules by which a store drops its oldest records. The default keeps all records.

    Attributes:
        keep_s: records that are older than this number of seconds are dropped; None keeps them.
        groups: the same for the streams of groups: pairs of a group's name and a number of seconds, in the order of
            the names. The shorter one of ``keep_s`` and the group's own time counts.
        max_bytes: the store's largest size. The oldest records are dropped before the store becomes larger. None is no
            limit.
        archive: the absolute path of the directory where records are written to before they are dropped; None archives
            nothing.
    """

    keep_s: int | None = None
    groups: tuple[tuple[str, int], ...] = ()
    max_bytes: int | None = None
    archive: str | None = None

    def __post_init__(self) -> None:
        """Check the values and sort the groups.

        Raises:
            UsageError: a value is out of its range, or a group occurs twice.
        """
        if self.keep_s is not None:
            _check_keep("keep", self.keep_s)
        for name, keep_s in self.groups:
            parse_identifier(name, "group")
            _check_keep(f"keep of group {name!r}", keep_s)
        names = [name for name, _ in self.groups]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError("use", f"retention of group {twice!r}", "it is given twice")
        if self.max_bytes is not None and self.max_bytes < MIN_MAX_BYTES:
            least = format_bytes(MIN_MAX_BYTES)
            raise UsageError("use", f"maximum size {format_bytes(self.max_bytes)}", f"it must be at least {least}")
        if self.archive is not None and not PurePath(self.archive).is_absolute():
            raise UsageError("use", f"archive {self.archive!r}", "its path must be absolute")
        object.__setattr__(self, "groups", tuple(sorted(self.groups)))

    @property
    def is_empty(self) -> bool:
        """Whether no record is ever dropped."""
        return self.keep_s is None and not self.groups and self.max_bytes is None

    def find_group_keep_s(self, group: str | None) -> int | None:
        """Return for how many seconds records of a group's streams are kept; None: without a limit of their age."""
        limits = [keep_s for name, keep_s in self.groups if name == group]
        return min([*limits, *([] if self.keep_s is None else [self.keep_s])], default=None)


KEEP_ALL: Final = Retention()
"""The retention of a new store."""


def _check_keep(what: str, keep_s: int) -> None:
    if not MIN_KEEP_S <= keep_s <= MAX_PERIOD_S:
        limits = f"{format_period(MIN_KEEP_S)} to {format_period(MAX_PERIOD_S)}"
        raise UsageError("use", f"{what} {format_period(keep_s)}", f"it must be {limits}")
