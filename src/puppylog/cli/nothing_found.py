"""The note on stderr when a search finds no record: why that may be, and what to type next."""

from collections.abc import Sequence
from typing import Final

from puppylog.cli.messages import tell
from puppylog.cli.queries import translate_for
from puppylog.model.source import name_source
from puppylog.monitor.condition import join_conditions, read_source_query
from puppylog.monitor.origins import has_stream, read_origins
from puppylog.monitor.search import Search, find_records
from puppylog.settings import Settings
from puppylog.stores.base import RecordReader, Store
from puppylog.tui.times import localize

_LISTED: Final = 5  # sources that a message names


def tell_unknown_sources(settings: Settings, store: Store, patterns: Sequence[str]) -> bool:
    """Say which of the patterns match no source, and which sources there are; return whether it was said."""
    unknown = [pattern for pattern in patterns if not _has_source(store, settings, pattern)]
    if not unknown:
        return False
    names = sorted({name_source(origin.source_uri) for origin in read_origins(store).values()})
    listed = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    has = f"the store has {listed}" if names else "the store has none; 'puppylog collector -s FILE' collects one"
    tell(settings, f"no source matches {' or '.join(map(repr, unknown))}; {has}")
    return True


def _has_source(store: Store, settings: Settings, pattern: str) -> bool:
    query = read_source_query([pattern])
    return query is None or has_stream(store, join_conditions(store, translate_for(store, query, settings)))


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
