"""The origins of the records that a command shows."""

from puppylog.monitor.origins import Origin, read_origins
from puppylog.stores.base import RecordReader
from puppylog.tui.source_names import shorten_sources


class Origins:
    """The origins of records, read from the store when they are needed, and again when a file is not among them."""

    def __init__(self, reader: RecordReader) -> None:
        self._reader = reader
        self._origins: dict[int, Origin] = {}
        self._names: dict[int, str] = {}

    def find(self, file_id: int) -> Origin | None:
        """Return the origin of the records of a file."""
        if file_id not in self._origins:
            self._origins = read_origins(self._reader)
        return self._origins.get(file_id)

    def name_stream(self, stream_id: int) -> str:
        """Return a short name of a stream's source."""
        if stream_id not in self._names:
            self._origins = read_origins(self._reader)
            self._names = shorten_sources({origin.stream_id: origin.source_uri for origin in self._origins.values()})
        return self._names.get(stream_id, str(stream_id))
