"""The hub and positions together: whatever happens, a client gets every record once, in files of any number."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.monitor.search import Search
from puppylog.serve.limits import Limits
from puppylog.serve.read.record_rows import RecordRenderer
from puppylog.serve.read.tail import hub as hub_module
from puppylog.serve.read.tail.hub import Hub
from puppylog.serve.read.tail.listener import Listener
from puppylog.stores.address import address_of
from puppylog.stores.base import NewFile
from support.embedded import EmbeddedStore
from support.examples import examples
from support.lines import LINE_BYTES, Source, records

Place = tuple[int, int]

_NAMES = (f"file:///var/log/{number}" for number in itertools.count())


class Client:
    """A client that may lose its connection at any moment: also with events that it was sent and has not read."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.listener: Listener | None = None
        self.last_id: str | None = None
        self.got: Counter[Place] = Counter()

    async def connect(self) -> None:
        self.listener = await self.hub.listen(Search(), self.last_id)
        await self.read(1)  # the position at which it begins

    async def read(self, events: int) -> None:
        for _ in range(events):
            assert self.listener is not None
            part = await self.listener.take(0.01)
            for line in (part or b"").decode().split("\n"):
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = value
                elif name == "data":
                    records = json.loads(value).get("records", [])
                    self.got.update((one["file_id"], one["line_offset"]) for one in records)

    def leave(self) -> None:
        if self.listener is not None:
            self.hub.leave(self.listener)
            self.listener = None

    async def read_all(self, expected: Counter[Place]) -> None:
        async with asyncio.timeout(5):
            while sum(self.got.values()) < sum(expected.values()):
                await self.read(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with pytest.MonkeyPatch.context() as patch, EmbeddedStore(Path(tmp_path_factory.mktemp("hub")) / "store") as own:
        patch.setattr(hub_module, "_POLL_S", 0.005)
        yield own


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 3)),
        st.tuples(st.sampled_from(["read", "leave", "restart", "new file"]), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)


@pytest.fixture(scope="module")
def crowded(own: EmbeddedStore) -> Iterator[list[Source]]:
    """Two sources with files that no position lists, because there are too many."""
    with own.connect() as store:
        sources = [Source(store, next(_NAMES)) for _ in range(2)]
        old = [NewFile(sources[1].stream_id, "/old", device=1, inode=at, byte_offset=10**9) for at in range(600)]
        for source, file in zip(sources, reversed(store.open_files(old)), strict=False):
            source.stream_id, source.file_id, source.offset = sources[1].stream_id, file.file_id, 10**9
        yield sources


@given(steps=_STEPS)
@settings(max_examples=examples(6, soak=8), deadline=None)
def test_a_client_gets_every_record_once_whatever_ends_its_connections(
    own: EmbeddedStore, crowded: list[Source], steps: list[tuple[str, int]]
) -> None:
    with own.connect() as store:
        sources = [*(Source(store, next(_NAMES)) for _ in range(2)), *crowded]
        expected: Counter[Place] = Counter()

        async def run() -> None:
            made = [Hub(address_of(own.url), Limits(), RecordRenderer())]
            client = Client(made[0])
            await client.connect()
            for name, at in steps:
                if name == "append":
                    source = sources[at]
                    expected.update((source.file_id, source.offset + line * LINE_BYTES) for line in range(3))
                    source.append(records(3, start=source.offset))
                elif name == "new file":
                    sources[0] = Source(store, next(_NAMES))
                elif name == "read" and client.listener is not None:
                    await client.read(2)
                elif name == "leave":
                    client.leave()
                    await client.connect()
                elif name == "restart":
                    client.leave()
                    made.append(Hub(address_of(own.url), Limits(), RecordRenderer()))
                    client.hub = made[-1]
                    await client.connect()
            await client.read_all(expected)
            await client.read(3)
            client.leave()
            for hub in made:
                hub.begin_end()
                hub.close()

            assert client.got == expected

        asyncio.run(run())
