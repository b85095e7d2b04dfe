"""A format whose file is read when the first lines are read with it: `auto` has many candidates and needs few."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from puppylog.errors import PuppylogError
from puppylog.formats.base import Format, Options, Parser
from puppylog.formats.file.beginnings import Head
from puppylog.formats.file.definition import Definition, read_definition
from puppylog.formats.file.first_lines import take_first_lines
from puppylog.formats.file.folder import FoundFile
from puppylog.formats.file.format import make_format
from puppylog.formats.file.packaged_heads import list_packaged_heads


@dataclass(frozen=True)
class LazyFormat:
    """Implements `puppylog.formats.base.Format`, and says by a cheap check whether lines may be of the format."""

    name: str
    found: FoundFile
    options: Options = field(default_factory=Options)

    @cached_property
    def format(self) -> Format:
        """The format of the file.

        Raises:
            UsageError: the file cannot be read.
            ConfigurationError: the file has a fault.
        """
        return make_format(self._definition, self.options)

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:
        return self.format.open(context, modified_at_us)

    def find_mismatch(self, line: str) -> int:
        return self.format.find_mismatch(line)

    def may_fit(self, sample: bytes) -> bool:
        """Return whether `auto` reads these lines with the format.

        A file with a fault fits no lines: `puppylog formats` shows the fault, and collecting goes on.
        """
        first = take_first_lines(sample)
        if self._heads is None:
            return True
        heads = self._heads_by_characters.get(first.characters)
        if heads is None:
            heads = [head for head in self._heads if head.first is None or head.first & first.characters]
            self._heads_by_characters[first.characters] = heads
        return first.match_any(heads)

    @cached_property
    def _definition(self) -> Definition:
        return read_definition(self.found.path) if self.found.is_own else _read_packaged(self.found)

    @cached_property
    def _heads(self) -> Sequence[Head] | None:
        """As `puppylog.formats.file.definition.Definition.heads`."""
        if not self.found.is_own and self.name in (packaged := list_packaged_heads()):
            return packaged[self.name]
        try:
            return self._definition.heads
        except PuppylogError:
            return ()

    @cached_property
    def _heads_by_characters(self) -> dict[frozenset[str], Sequence[Head]]:
        """The heads that may match lines with these first characters: most files begin with the same few."""
        return {}


@cache
def _read_packaged(found: FoundFile) -> Definition:
    """Return the definition in one of Puppylog's format files, which do not change while a process runs."""
    return read_definition(found.path)
