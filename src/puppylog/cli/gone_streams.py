"""Streams of deleted containers that a killed collector still seems to follow: they are reported as finished.

A collector reports that a stream is finished once its file is gone. If the collector was killed before that, no path
leads the next collector to the stream, and the stream would count as stalled for ever.
"""

from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from puppylog.collect.options import CollectOptions
from puppylog.errors import PuppylogError
from puppylog.model.source import name_on_host, split_uri
from puppylog.model.stream import StreamReport
from puppylog.monitor.collectors import FollowedStream, StreamState, list_followed_streams
from puppylog.stores.base import Store

_OVER = frozenset({StreamState.FINISHED, StreamState.ENDED})


def finish_gone_streams(store: Store, options: CollectOptions) -> int:
    """Report the streams of this host's deleted containers as finished; return how many.

    Streams that another collector follows are left out. A login that may not read reports changes nothing.

    Args:
        store: has the streams.
        options: of the collector; only sources of containers count, because other logs may come back.
    """
    patterns = [pattern for source in options.sources if source.runtime is not None for pattern in source.paths]
    if not patterns:
        return 0
    try:
        followed = list_followed_streams(store)
    except PuppylogError:
        return 0
    gone = [stream for stream in followed if _is_gone(stream, options.host, patterns)]
    return sum(_finish(store, stream) for stream in gone)


def _is_gone(stream: FollowedStream, host: str, patterns: list[str]) -> bool:
    path = name_on_host(stream.source_uri)
    if stream.state in _OVER or (split_uri(stream.source_uri)[0] or "") != host:
        return False
    return any(fnmatchcase(path, pattern) for pattern in patterns) and not Path(path).exists()


def _finish(store: Store, stream: FollowedStream) -> bool:
    try:
        (claimed,) = store.open_streams([stream.source_uri])
    except PuppylogError:
        return False  # another collector follows it
    report = StreamReport(
        claimed.stream_id,
        backlog_bytes=0,
        behind_s=None,
        stored_ago_s=None,
        lines_per_s=0.0,
        records=stream.records,
        rejects=stream.rejects,
        format=stream.format,
        finished=True,
    )
    with suppress(PuppylogError):  # the next start of a collector tries again
        store.report([report])
    store.close_stream(claimed.stream_id)
    return True
