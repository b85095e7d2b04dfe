"""The session of a client: its claims at the server, and the thread that renews them.

A session begins with the first claim. The server forgets it when it is restarted, or when the client does not
renew it. Then the client opens it again, with the claims that it had. The thread always waits for the
answer to a renewal, so the server notices within moments that the process has ended.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from puppylog.errors import PuppylogError, StoreUnavailable
from puppylog.stores.address import StoreAddress
from puppylog.stores.remote.connection import Connection
from puppylog.stores.remote.protocol import UnknownSession

T = TypeVar("T")

_AGAIN_S: Final = 0.5
"""How many seconds after a failed renewal the next one is sent, unless the session is opened before."""

_CLOSE_S: Final = 2.0
"""How many seconds a process that ends waits for a server that does not answer."""


class Session:
    """The claims of one client. For several threads."""

    def __init__(self, connection: Connection, address: StoreAddress) -> None:
        """Start without a claim.

        Args:
            connection: for the calls of the client's threads.
            address: of the server, for another connection that the renewals use.
        """
        self.id = secrets.token_hex(16)
        self._connection = connection
        self._address = address
        self._lock = threading.Lock()
        self._claims: dict[int, str] = {}  # under the lock: source URIs by stream id
        self._is_sender = False  # under the lock: whether this client has claimed to send
        self._end = threading.Event()
        self._is_opened = threading.Event()  # set when the session was opened, for the thread that renews it
        self._opening = threading.Lock()  # one thread at a time opens the session
        self._renewing: Connection | None = None  # under `_opening`
        self._thread: threading.Thread | None = None  # under `_opening`

    def ask(self, call: str, arguments: Mapping[str, object], *, is_repeatable: bool = True) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a call that the server takes within a session only."""
        return self.run(lambda: self._connection.ask(call, arguments, session=self.id, is_repeatable=is_repeatable))

    def run(self, call: Callable[[], T]) -> T:
        """Return what ``call`` returns. If the server does not know the session, open it and call again."""
        self._start()
        try:
            return call()
        except UnknownSession:
            self._open()
        try:
            return call()
        except UnknownSession:
            raise StoreUnavailable("use", f"store {self._connection.name}", "the server was restarted again") from None

    def add_claims(self, claims: Mapping[int, str]) -> None:
        with self._lock:
            self._claims.update(claims)

    def drop_claim(self, stream_id: int) -> bool:
        """Forget a claim; return whether there was one."""
        with self._lock:
            return self._claims.pop(stream_id, None) is not None

    def find_claimed(self, source_uris: Iterable[str]) -> str | None:
        """Return the first of the sources whose stream this client has claimed already; None if there is none."""
        with self._lock:
            claimed = frozenset(self._claims.values())
        return next((source_uri for source_uri in source_uris if source_uri in claimed), None)

    def set_sender(self, *, is_sender: bool) -> None:
        with self._lock:
            self._is_sender = is_sender

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def _start(self) -> None:
        with self._opening:
            if self._thread is None and not self._end.is_set():
                self._renewing = self._renewing or Connection(self._address)
                self._open_now()
                self._thread = threading.Thread(target=self._renew, name="puppylog-session", daemon=True)
                self._thread.start()

    def _open(self) -> None:
        with self._opening:
            self._open_now()

    def _open_now(self) -> None:
        """Open the session, with its claims. Raise StreamBusy if another client has got one of them meanwhile."""
        with self._lock:
            claims, is_sender = list(self._claims.values()), self._is_sender
        client = {"host": os.uname().nodename, "pid": os.getpid()}
        arguments = {"client": client, "claims": claims, "is_sender": is_sender}
        self._connection.ask("open_session", arguments, session=self.id)
        self._is_opened.set()

    def _renew(self) -> None:
        """Renew the lease until the session ends. The server answers a renewal after a while, or when it ends."""
        connection = self._renewing
        assert connection is not None  # noqa: S101 - the thread is started after this is set
        while not self._end.is_set():
            self._is_opened.clear()
            try:
                connection.ask("renew_session", {}, session=self.id, is_repeatable=False)
            except UnknownSession:
                if self._end.is_set():
                    return
                with suppress(PuppylogError):  # the call that needs the claim tells the user what is wrong
                    self._open()
                self._is_opened.wait(_AGAIN_S)
            except PuppylogError:
                self._is_opened.wait(_AGAIN_S)

    def close(self) -> None:
        """End the session and its claims. If the server cannot be reached, they end by themselves."""
        self._end.set()
        self._is_opened.set()
        with self._opening:
            thread, renewing = self._thread, self._renewing
        if thread is None or renewing is None:
            return
        closing = threading.Thread(target=self._say_end, name="puppylog-session-end", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)
        renewing.close()
        thread.join(_CLOSE_S)

    def _say_end(self) -> None:
        with suppress(PuppylogError):
            self._connection.ask("close_session", {}, session=self.id, is_repeatable=False)
