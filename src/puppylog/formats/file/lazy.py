"""A format whose file is read when the first lines are read with it: `auto` has many candidates and needs few."""

from dataclasses import dataclass, field
from functools import cache, cached_property

from puppylog.errors import PuppylogError
from puppylog.formats.base import Format, Options, Parser
from puppylog.formats.file.definition import Definition, read_definition
from puppylog.formats.file.folder import FoundFile
from puppylog.formats.file.format import FileFormat, make_format, read_format_file, take_first_lines


@dataclass(frozen=True)
class LazyFormat:
    """Implements `puppylog.formats.base.Format`, and says by a cheap check whether lines may be of the format."""

    name: str
    found: FoundFile
    options: Options = field(default_factory=Options)

    @cached_property
    def _may_begin(self) -> dict[frozenset[str], bool]:
        """The answers of `_find_may_begin`: the lines of most files begin with the same few characters."""
        return {}

    @cached_property
    def format(self) -> Format:
        """The format of the file.

        Raises:
            UsageError: the file cannot be read.
            ConfigurationError: the file has a fault.
        """
        if self.found.is_own:
            return read_format_file(self.found.path, self.options)
        return make_format(_read_packaged(self.found), self.options)

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:
        return self.format.open(context, modified_at_us)

    def find_mismatch(self, line: str) -> int:
        return self.format.find_mismatch(line)

    def may_fit(self, sample: bytes) -> bool:
        """Return whether `auto` reads these lines with the format.

        A file with a fault fits no lines: `puppylog formats` shows the fault, and collecting goes on.
        """
        characters = take_first_lines(sample).characters
        may_begin = self._may_begin.get(characters)
        if may_begin is None:
            may_begin = self._may_begin[characters] = self._find_may_begin(characters)
        return may_begin and (not isinstance(self.format, FileFormat) or self.format.may_fit(sample))

    def _find_may_begin(self, characters: frozenset[str]) -> bool:
        """Return whether a record may begin with one of the characters."""
        try:
            chosen = self.format
        except PuppylogError:
            return False
        return not isinstance(chosen, FileFormat) or bool(chosen.find_heads(characters))


@cache
def _read_packaged(found: FoundFile) -> Definition:
    """Return the definition in one of Puppylog's format files, which do not change while a process runs."""
    return read_definition(found.path)
