"""A client's connection to the engine, which starts the engine if it is not running."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pyarrow import flight

from puppylog.errors import StoreUnavailable
from puppylog.stores.duckdb.client.launch import has_begun, is_answering, start_engine
from puppylog.stores.duckdb.directory import StoreDirectory, translate_os_error
from puppylog.stores.duckdb.polling import polling_in_callers

# After a crash the new engine must be found at once. A pooled connection would wait, because its last attempt failed.
_OPTIONS: Final = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
]

_REST_S: Final = 2.0  # a connection is idle when no call has used it for this time


class Channel:
    """The connection, which is opened when a call needs it. Any thread may use it."""

    def __init__(self, directory: StoreDirectory, socket: str, *, starts_engine: bool) -> None:
        """Prepare; nothing is opened.

        Args:
            directory: of the store.
            socket: a path of the engine's socket that gRPC accepts.
            starts_engine: whether to start the engine if it is not running.
        """
        self._directory = directory
        self._socket = socket
        self._starts_engine = starts_engine
        self._lock = threading.Lock()
        # Under the lock.
        self._client: flight.FlightClient | None = None  # its calls need no lock
        self._users = 0  # the number of calls that use the connection now
        self._used_at = 0.0  # the end of the last call, by the monotonic clock

    def open(self) -> flight.FlightClient:
        """Return the open connection.

        Raises:
            StoreUnavailable: the engine does not start, or does not run and must not be started.
            StoreFull: there is no disk space for the engine's files.
        """
        with self._lock:
            if self._client is None:
                if has_begun(self._directory) or not is_answering(self._directory):
                    if not self._starts_engine:
                        raise StoreUnavailable("open", f"store {self._directory.path}", "its engine is not running")
                    try:
                        start_engine(self._directory)
                    except OSError as error:  # such as a full disk: the log or a lock file cannot be created
                        raise translate_os_error(self._directory.path, error) from None
                with polling_in_callers():
                    self._client = flight.connect(f"grpc+unix://{self._socket}", generic_options=_OPTIONS)
            return self._client

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep `close_idle` from closing the connection during the ``with`` block."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self._used_at = time.monotonic()

    def close_idle(self) -> None:
        """Close the connection if no call uses it, or has used it just now. The next call opens another one.

        As long as a connection is open, gRPC's threads wake some ten times a second. Another one takes a few
        milliseconds.
        """
        with self._lock:
            if self._client is None or self._users or time.monotonic() - self._used_at < _REST_S:
                return
            client, self._client = self._client, None
        client.close()

    def drop(self, client: flight.FlightClient) -> None:
        """Close a connection that has failed. The next call opens another one, unless another thread has done so."""
        with self._lock:
            if client is self._client:
                self._client = None
        client.close()

    def close(self) -> None:
        """Close the connection, if there is one. It is OK to close twice."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()
