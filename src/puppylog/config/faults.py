"""Where a value stands in the file, and what is wrong with it. All faults of a file are collected."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from puppylog.errors import ConfigurationError, PuppylogError


@dataclass(frozen=True, slots=True)
class Location:
    """A table of a file: ``[[alert]] "errors"``, or ``[[alert]] 3`` if the table has no name.

    Attributes:
        file: the file with the table.
        table: the name of the table; empty for the keys before the first table.
        entry: the quoted name of the entry, or its number from 1; empty for a table that stands once.
    """

    file: Path
    table: str = ""
    entry: str = ""

    def __str__(self) -> str:
        if not self.table:
            return ""
        return f"[[{self.table}]] {self.entry}" if self.entry else f"[{self.table}]"


@dataclass(slots=True)
class Faults:
    """The faults that were found so far, as errors that can be raised or shown."""

    found: list[ConfigurationError] = field(default_factory=list)

    def add(self, location: Location, cause: str, advice: str = "") -> None:
        """Add a fault. The message names the file and the table."""
        where = f"{location}: " if location.table else ""
        self.found.append(ConfigurationError("use", str(location.file), f"{where}{cause}", advice))

    @contextmanager
    def noting(self, location: Location, key: str = "") -> Iterator[None]:
        """Add an error that the block raises as a fault of ``key`` of a table."""
        try:
            yield
        except PuppylogError as error:
            message = f"{key}: {error.message}" if key else error.message
            self.add(location, message)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Add a ConfigurationError that the block raises, which names its location."""
        try:
            yield
        except ConfigurationError as error:
            self.found.append(error)

    def check(self) -> None:
        """Raise ConfigurationError if there are faults: the first one, and the number of the others."""
        if not self.found:
            return
        first, more = self.found[0], len(self.found) - 1
        if more == 0:
            raise first
        rest = f"there {'is 1 more fault' if more == 1 else f'are {more} more faults'}"
        advice = f"{rest}, see 'puppylog config check'"
        raise ConfigurationError(
            first.verb, first.thing, first.cause, f"{first.advice}; {advice}" if first.advice else advice
        )


def error_at(location: Location, cause: str) -> ConfigurationError:
    """Return an error about a table."""
    faults = Faults()
    faults.add(location, cause)
    return faults.found[0]
