"""Random records in a store, from several sources."""

from typing import Any

from puppylog.stores.base import NewFile, Store
from support.lines import LINE_BYTES, Source, open_stream, rows
from support.queries import as_row, make_records
from support.query_meaning import Origin

SOURCES = (
    ("file:///var/log/access.log", "shop", "/var/log/access.log"),
    ("file://web1/var/log/my%20app.log", None, "/var/log/my app.log"),
    ("file:///srv/shop", "shop_two", "/srv/shop.1"),
)


class _Origins(Source):
    """A source whose file has a path of its own."""

    def __init__(self, store: Store, uri: str, group: str | None, path: str) -> None:
        self.store = store
        self.stream_id = open_stream(store, uri, group=group).stream_id
        (file,) = store.open_files([NewFile(self.stream_id, path, device=1, inode=hash(path) % 1000)])
        self.file_id = file.file_id
        self.offset = 0
        self.origin = Origin(self.stream_id, uri, group, path)


def store_records(store: Store, count: int) -> dict[tuple[int, int], tuple[dict[str, Any], Origin]]:
    """Store random records from several sources, and return each by its place."""
    stored: dict[tuple[int, int], tuple[dict[str, Any], Origin]] = {}
    sources = [_Origins(store, *source) for source in SOURCES]
    for source in sources:
        made = make_records(count // len(sources))
        source.append(rows([as_row(record) for record in made]))
        for at, record in enumerate(made):
            stored[source.file_id, at * LINE_BYTES] = (record, source.origin)
    return stored
