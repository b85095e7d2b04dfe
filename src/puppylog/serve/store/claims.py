"""The claims of remote clients. The store sees one client, the server, which holds all of them with one connection.

A claim of one session keeps other sessions away here, and other clients of the store by the server's own claim. All of
this runs in one thread, as a store demands.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from puppylog.errors import PuppylogError, StreamBusy
from puppylog.model.stream import Stream
from puppylog.serve.refusal import Refusal, refuse
from puppylog.serve.store.sessions import Session, Sessions, TooManySessions
from puppylog.serve.store.staging import Stagings
from puppylog.serve.threads import Threads
from puppylog.stores.base import Store
from puppylog.stores.remote.protocol import RENEW_S
from puppylog.stores.streams import refuse_claimed

T = TypeVar("T")

_LOOK_S: Final = 0.05
_MARGIN_S: Final = 0.05  # after a lease, so that it has run out when the sessions are looked at


class Claims:
    """Sessions, and the connection that holds their claims. Methods without `async` run in its own thread."""

    def __init__(self, connect: Callable[[], Store]) -> None:
        """Prepare; nothing is connected before it is used.

        Args:
            connect: returns a new connection to the store.
        """
        self.sessions = Sessions(time.monotonic)
        self._connect = connect
        self._threads = Threads("server claims", 1)
        self.stagings = Stagings()
        self._store: Store | None = None  # in the thread
        self._timers: dict[str, asyncio.TimerHandle] = {}  # in the loop, by session
        self._is_ending = False  # in the loop
        self._renewals: dict[str, set[asyncio.Future[None]]] = {}  # in the loop: those that wait, by session

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, which runs in the thread.

        Raises:
            Refusal: ``work`` raised an error.
        """
        running = self._threads.submit(work)
        running.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await asyncio.shield(running)
        except TooManySessions:
            raise Refusal(503, "too many clients hold claims") from None
        except PuppylogError as error:
            raise refuse(error) from error

    # --- in the loop

    def touch(self, session_id: str, owner: str) -> Session:
        """Note that a client was heard, and return its session. Raises UnknownSession."""
        session = self.sessions.touch(session_id, owner)
        self._watch(session)
        return session

    async def renew(self, session_id: str, owner: str, gone: "asyncio.Future[None]") -> None:
        """Keep a session for RENEW_S, or until its client has gone or the server ends. Raises UnknownSession."""
        session = self.sessions.begin_renewal(session_id, owner)
        self._watch(session)
        ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._renewals.setdefault(session_id, set())
        waiting.add(ending)
        if self._is_ending:
            ending.set_result(None)
        try:
            await asyncio.wait({gone, ending}, timeout=RENEW_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.discard(ending)
            if not waiting:
                self._renewals.pop(session_id, None)
            ending.cancel()
            self.sessions.end_renewal(session)
            self._watch(session)

    async def wait_for_holder(self, session: Session, source_uris: Sequence[str]) -> None:
        """If another session has claimed a stream, wait until that session ends, or its client shows that it lives.

        A collector that was killed and started again gets its streams in this way, even if a proxy hides from the
        server that the old process has gone. The renewal of the other session is answered at once: a client that lives
        then renews again.
        """
        held = self.sessions.find_holder(source_uris)
        if held is None or held[0] is session:
            return
        holder = held[0]
        renewed = holder.renewed
        self._answer_renewals(holder.id)
        while holder.renewed == renewed and (left_s := holder.expires_at - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s + _MARGIN_S, _LOOK_S))

    def begin_end(self) -> None:
        """Answer all renewals, so that the server does not wait for them when it ends."""
        self._is_ending = True
        for session_id in self._renewals:
            self._answer_renewals(session_id)

    def _answer_renewals(self, session_id: str) -> None:
        for ending in self._renewals.get(session_id, ()):
            if not ending.done():
                ending.set_result(None)

    def _watch(self, session: Session) -> None:
        """Look for sessions that have ended when this one does, unless it is renewed."""
        timer = self._timers.pop(session.id, None)
        if timer is not None:
            timer.cancel()
        after_s = session.expires_at - time.monotonic() + _MARGIN_S
        self._timers[session.id] = asyncio.get_running_loop().call_later(after_s, self._expire_soon, session.id)

    def _expire_soon(self, session_id: str) -> None:
        self._timers.pop(session_id, None)
        running = self._threads.submit(self.expire)
        running.add_done_callback(lambda done: done.cancelled() or done.exception())

    # --- in the thread

    def open_session(self, session_id: str, owner: str, client: str, claims: Sequence[str], *, is_sender: bool) -> None:
        """Open a session with the claims that its client had before the server was restarted.

        Raises:
            StreamBusy: another client has claimed one of the streams meanwhile. The session is open without claims.
        """
        session = self.sessions.open(session_id, owner, client)
        if claims:
            self.open_streams(session, claims, None)
        if is_sender:
            self.claim_sending(session)

    def close_session(self, session_id: str) -> None:
        session = self.sessions.end(session_id)
        if session is not None:
            self._release(session)

    def expire(self) -> None:
        """Release the claims of sessions that have ended."""
        for session in self.sessions.take_expired():
            self._release(session)

    def open_streams(self, session: Session, source_uris: Sequence[str], group: str | None) -> Sequence[Stream]:
        """Claim streams for a session, and return them with the positions that they have now.

        A session may claim a stream again: its call was repeated because the answer was lost.

        Raises:
            StreamBusy: another client has claimed one of them. No claim is new.
        """
        self.expire()
        held = self.sessions.find_holder(source_uris)
        store = self._connected()
        while held is not None:
            holder, source_uri = held
            if holder is not session:
                refuse_claimed(source_uri, holder.client)
            (stream_id,) = (one for one, uri in session.streams.items() if uri == source_uri)
            del session.streams[stream_id]
            store.close_stream(stream_id)  # it is claimed again below, with its positions as they are then
            held = self.sessions.find_holder(source_uris)
        streams = store.open_streams(source_uris, group=group)
        session.streams.update({stream.stream_id: stream.source_uri for stream in streams})
        return streams

    def close_stream(self, session: Session, stream_id: int) -> None:
        if session.streams.pop(stream_id, None) is not None:
            self._connected().close_stream(stream_id)

    def claim_sending(self, session: Session) -> bool:
        """Return whether the client of this session is now the one that sends."""
        self.expire()
        holder = self.sessions.find_sender()
        if holder is not None and holder is not session:
            return False
        session.is_sender = self._connected().claim_sending()
        return session.is_sender

    def release_sending(self, session: Session) -> None:
        if session.is_sender:
            session.is_sender = False
            self._connected().release_sending()

    def keep_alive(self) -> None:
        self._connected().keep_alive()

    def refuse_foreign(self, session: Session, stream_ids: Sequence[int]) -> None:
        """Refuse a transaction of a client whose streams another one has claimed: it was under way for too long."""
        holder = self.sessions.find_stream_holder(stream_ids)
        if holder is not None and holder is not session:
            raise StreamBusy("append to", f"{len(stream_ids)} streams", f"{holder.client} follows one of them")

    def _release(self, session: Session) -> None:
        self.stagings.discard(session.id)
        store = self._store
        streams, session.streams = session.streams, {}
        is_sender, session.is_sender = session.is_sender, False
        if store is None:
            return
        with suppress(PuppylogError):  # the connection is lost, and the claims with it
            for stream_id in streams:
                store.close_stream(stream_id)
            if is_sender:
                store.release_sending()

    def _connected(self) -> Store:
        if self._store is None:
            self._store = self._connect()
        return self._store

    def close(self) -> None:
        """Release all claims. Called after the loop has ended."""
        self._threads.close()
        self.stagings.close()
        store, self._store = self._store, None
        if store is not None:
            store.close()
