"""The note on stderr when a search finds no record: why that may be, and what to type next."""

from puppylog.cli.talk import tell
from puppylog.monitor.search import Search, find_records
from puppylog.settings import Settings
from puppylog.stores.base import RecordReader
from puppylog.tui.times import localize


def tell_nothing_found(settings: Settings, reader: RecordReader, search: Search) -> None:
    """Say why no record was found, and what to type next: the store is empty, or other records are in it."""
    newest = find_records(reader, Search(), records=1)["ts"].to_pylist()
    if not newest:
        tell(
            settings,
            "the store has no records; 'puppylog FILE' shows a file, 'puppylog collector -s FILE' collects one",
        )
        return
    since, last = search.within.since, localize(newest[0], settings.zone).isoformat(timespec="seconds")
    if since is not None and newest[0] < since:
        tell(settings, f"no record is found; the newest record in the store is of {last}, before the range begins")
    else:
        tell(settings, f"no record is found; the newest record in the store is of {last}")
