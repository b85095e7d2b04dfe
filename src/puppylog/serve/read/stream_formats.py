"""The formats of streams, as their collectors have reported them."""

import os
from typing import Final

from puppylog.collect.format_choice import find_log_zone
from puppylog.errors import PuppylogError
from puppylog.formats.base import Format, Options
from puppylog.formats.regex.pattern import is_pattern
from puppylog.formats.registry import find_format
from puppylog.monitor.collectors import list_followed_streams
from puppylog.settings import Settings
from puppylog.stores.base import RecordReader

_MOST: Final = 8192  # characters of a line that is looked at


class StreamFormats:
    """Finds the format of each stream."""

    def __init__(self, reader: RecordReader, settings: Settings) -> None:
        """Prepare.

        Args:
            reader: the store.
            settings: of the server, for the zone of its logs.
        """
        self._reader = reader
        self._settings = settings
        self._names: dict[int, str] | None = None  # of the formats, by stream
        self._formats: dict[str, Format | None] = {}

    def find(self, stream_id: int) -> Format | None:
        """Return the format of a stream; None if it is unknown, or a regular expression."""
        if self._names is None:
            self._names = {stream.stream_id: stream.format for stream in list_followed_streams(self._reader)}
        name = self._names.get(stream_id, "")
        if name not in self._formats:
            self._formats[name] = self._make_format(name)
        return self._formats[name]

    def find_column(self, stream_id: int, line: str) -> int | None:
        """Return how many characters of a rejected line fit the format of its stream; None if this is not known."""
        found = self.find(stream_id)
        if found is None or len(line) > _MOST:
            return None
        at = found.find_mismatch(line)
        return at if 0 < at <= len(line) else None

    def _make_format(self, name: str) -> Format | None:
        # A regular expression may take very long for a line that does not match.
        if not name or is_pattern(name):
            return None
        try:
            return find_format(name, read_options(self._settings))
        except PuppylogError:  # the format of another version of Puppylog, or one that is defined in a server's file
            return None


def read_options(settings: Settings) -> Options:
    """Return how formats read stamps without a zone. Each rejected line is parsed by itself."""
    return Options(find_log_zone(settings.data_zone, os.environ), joins_lines=False)
