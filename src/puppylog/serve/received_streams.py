"""The streams to which the server appends what it receives: their names, claims and positions.

A source of a receiver has one stream with one file, for ever. The position in the file counts the bytes that were
received, so it tells after a lost answer whether a commit succeeded. One thread opens and forgets streams.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from puppylog.errors import StreamBusy
from puppylog.model.source import is_received, split_uri
from puppylog.monitor.streams import list_source_uris
from puppylog.stores.base import NewFile, Store

MAX_STREAMS: Final = 1_000
"""The most streams that a server creates: each one is claimed and reported as long as the server runs."""

_MAX_CHARACTERS: Final = 200  # of a source's name


@dataclass(frozen=True, slots=True)
class SourceName:
    """What identifies a source of received lines. The name that a sender gives the source is cleaned."""

    receiver: str  # its name, which is the scheme of the stream's URI
    source: str  # as the sender calls it; empty if the sender names no source
    group: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", clean_source(self.source))  # the class is frozen for everything else


@dataclass(slots=True)
class ReceivedStream:
    """A stream that the server has claimed. Its position and its context change with each commit."""

    uri: str
    group: str | None
    stream_id: int
    file_id: int
    position: int  # in bytes; all lines before it are stored
    context: str  # see `puppylog.formats.base.Parser.context`
    is_unnamed: bool = False  # whether it is the stream without a source, to which the sources above the limit belong


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of some sources: each one is in one of the mappings."""

    streams: Mapping[SourceName, ReceivedStream]
    busy: Mapping[SourceName, StreamBusy]  # another client follows the stream


@lru_cache(maxsize=1024)
def clean_source(name: str) -> str:
    r"""Return a source's name without control characters and surrounding blanks, cut at 200 characters.

    Halves of surrogate pairs, which JSON can name, are not characters, and a URI cannot have them.

    >>> clean_source(" web\n1\x00 ")
    'web1'
    """
    printable = "".join(character for character in name if character.isprintable())
    return printable.strip()[:_MAX_CHARACTERS].strip()


def make_uri(host: str, name: SourceName, *, with_group: bool = False) -> str:
    """Return the URI of a source's stream.

    >>> make_uri("web1", SourceName("lines", "shop/cart"))
    'lines://web1/shop/cart'
    >>> make_uri("", SourceName("loki", "cart", "shop"), with_group=True)
    'loki:///shop/cart'
    """
    path = f"{name.group}/{name.source}" if with_group else name.source
    return f"{name.receiver}://{host}/{quote(path)}"


class ReceivedStreams:
    """The streams that one server has claimed."""

    def __init__(
        self,
        store: Store,
        host: str,
        *,
        limit: int = MAX_STREAMS,
        on_full: Callable[[], None] = lambda: None,
    ) -> None:
        """Start without streams.

        Args:
            store: claims the streams for this server.
            host: the name of this host for the URIs; empty if the store is not shared.
            limit: how many received streams of this host may exist in the store. The lines of further sources
                are appended to the receiver's stream without a source.
            on_full: called whenever a source gets no stream of its own.
        """
        self._store = store
        self._host = host
        self._limit = limit
        self._on_full = on_full
        self._by_name: dict[SourceName, ReceivedStream] = {}
        self._by_uri: dict[str, ReceivedStream] = {}
        self._existing: set[str] | None = None  # URIs of this host's received streams in the store

    def __iter__(self) -> Iterator[ReceivedStream]:
        return iter(self._by_uri.values())

    def find(self, name: SourceName) -> ReceivedStream | None:
        """Return the stream of a source if it is open. Any thread may call this."""
        return self._by_name.get(name)

    def open(self, names: Iterable[SourceName]) -> Opened:
        """Return the streams of these sources. Those that are not open are claimed, and created if they are new.

        A stream without a log group takes the group of the first source that has one. If a source has a stream in one
        group and is received with another group, it gets a second stream, whose URI contains the group.

        Raises:
            PuppylogError: the store cannot open streams now.
        """
        asked = list(dict.fromkeys(names))
        new = [name for name in asked if name not in self._by_name]
        busy = self._claim([self._choose_uri(name) for name in new], None)
        for group in dict.fromkeys(name.group for name in new if name.group is not None):
            of_group = [name for name in new if name.group == group and self._choose_uri(name) not in busy]
            busy |= self._join_group(group, [name for name in of_group if self._find(name) is None])
        streams: dict[SourceName, ReceivedStream] = {}
        errors: dict[SourceName, StreamBusy] = {}
        for name in asked:
            stream = self._by_name.get(name) or self._find(name)
            if stream is None:
                errors[name] = busy.get(self._choose_uri(name)) or busy[self._choose_uri(name, with_group=True)]
                continue
            streams[name] = stream
            if not (name.source and stream.is_unnamed):  # the number of these names has no limit
                self._by_name[name] = stream
        return Opened(streams, errors)

    def forget(self, streams: Iterable[ReceivedStream]) -> None:
        """Release these streams, because their positions are uncertain. `open` reads the positions from the store."""
        gone = {stream.uri for stream in streams}
        for uri in gone:
            self._store.close_stream(self._by_uri.pop(uri).stream_id)
        # A new dictionary: another thread may be reading the old one.
        self._by_name = {name: stream for name, stream in self._by_name.items() if stream.uri not in gone}

    def _find(self, name: SourceName) -> ReceivedStream | None:
        """Return the open stream for the source and its group, or None."""
        plain = self._by_uri.get(self._choose_uri(name))
        if plain is None or name.group in {None, plain.group} or plain.is_unnamed:
            return plain
        return self._by_uri.get(self._choose_uri(name, with_group=True))

    def _join_group(self, group: str, names: Sequence[SourceName]) -> dict[str, StreamBusy]:
        """Claim streams in a log group; return the errors by URI."""
        plain = [self._by_uri[self._choose_uri(name)] for name in names]
        without_group = [stream for stream in plain if stream.group is None]
        self.forget(without_group)
        others = [name for name, stream in zip(names, plain, strict=True) if stream.group is not None]
        own = {name: self._choose_uri(name, with_group=True) for name in others}
        unnamed = {uri for name, uri in own.items() if uri == self._unnamed_uri(name)}  # a stream of several groups
        busy = self._claim(unnamed, None)
        return busy | self._claim([*(stream.uri for stream in without_group), *({*own.values()} - unnamed)], group)

    def _choose_uri(self, name: SourceName, *, with_group: bool = False) -> str:
        """Return the URI of a source's own stream, or of the stream for all sources above the limit."""
        uri = make_uri(self._host, name, with_group=with_group)
        if self._existing is None:
            self._existing = self._list_existing()
        if uri not in self._existing:
            if len(self._existing) >= self._limit and name.source:
                self._on_full()
                return self._unnamed_uri(name)
            self._existing.add(uri)
        return uri

    def _unnamed_uri(self, name: SourceName) -> str:
        """Return the URI of the stream for all sources of a receiver above the limit."""
        return make_uri(self._host, SourceName(name.receiver, ""))

    def _list_existing(self) -> set[str]:
        return {
            uri
            for uri in list_source_uris(self._store)
            if is_received(uri) and split_uri(uri)[0] == (self._host or None)
        }

    def _claim(self, uris: Iterable[str], group: str | None) -> dict[str, StreamBusy]:
        """Claim the streams that are not open, all at once if none of them is busy; return the errors by URI."""
        missing = [uri for uri in dict.fromkeys(uris) if uri not in self._by_uri]
        if not missing:
            return {}
        try:
            streams = self._store.open_streams(missing, group=group)
        except StreamBusy as error:
            if len(missing) == 1:
                return {missing[0]: error}
            return {uri: busy for missed in missing for uri, busy in self._claim([missed], group).items()}
        try:
            new = [stream for stream in streams if not stream.files]
            files = self._store.open_files([NewFile(stream.stream_id, stream.source_uri, 0, 0) for stream in new])
        except BaseException:
            for stream in streams:
                self._store.close_stream(stream.stream_id)
            raise
        positions = {stream.stream_id: stream.files[0] for stream in streams if stream.files}
        positions |= {stream.stream_id: file for stream, file in zip(new, files, strict=True)}
        for stream in streams:
            file = positions[stream.stream_id]
            self._by_uri[stream.source_uri] = ReceivedStream(
                uri=stream.source_uri,
                group=stream.group,
                stream_id=stream.stream_id,
                file_id=file.file_id,
                position=file.byte_offset,
                context=file.context,
                is_unnamed=not split_uri(stream.source_uri)[1].strip("/"),
            )
        return {}
