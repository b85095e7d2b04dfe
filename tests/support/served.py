"""A server in front of an embedded store, in the process of the tests, and a client that speaks to it.

A module of tests has one, as a fixture of its own:

    @pytest.fixture(scope="module")
    def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
        with Served(tmp_path_factory.mktemp("served")) as served:
            yield served
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from puppylog.config.listen import ListenConfig
from puppylog.model.address import Address
from puppylog.serve.limits import Limits
from puppylog.serve.server import Server
from puppylog.settings import Settings, read_settings
from support.embedded import EmbeddedStore

LOOPBACK = ListenConfig(address=Address("127.0.0.1", 0))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Served:
    """Usable with ``with``: afterwards neither a server nor an engine is left.

    Attributes:
        own: the store.
        server: the server; its ``context`` is what receivers use.
        reported: the sentences that the server has reported to its user.
    """

    def __init__(
        self, folder: Path, *, listen: ListenConfig = LOOPBACK, limits: Limits | None = None, url: str | None = None
    ) -> None:
        """Prepare.

        Args:
            folder: of the test.
            listen: where, and for whom.
            limits: None for the usual ones.
            url: of the store; None: an embedded store in ``folder``.
        """
        self.own = EmbeddedStore(folder / "store")
        self.settings: Settings = read_settings({"store": url or self.own.url, "host": "web1"}, {})
        self.reported: list[str] = []
        self._listen = listen
        self._limits = limits
        self.server: Server

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def port(self) -> int:
        return self.server.address.port

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """Send a request on a connection of its own, and return the answer. A body from an iterator is chunked."""
        connection: HTTPConnection
        if tls is None:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        else:
            connection = HTTPSConnection("127.0.0.1", self.port, timeout=60, context=tls)
        try:
            is_chunked = not isinstance(body, bytes)
            connection.request(method, path, body or None, dict(headers or {}), encode_chunked=is_chunked)
            got = connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        """Connect a socket, for requests that no library sends."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connected:
            yield connected

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows that a query gives in the store."""
        with self.own.connect() as store:
            return list(store.query(sql).to_pylist())

    def start(self) -> None:
        """Start a server. The port is the same for all servers of this object, so that senders find the next one."""
        self.server = Server(self._listen, self.settings, report=self.reported.append, limits=self._limits)
        self._listen = replace(self._listen, address=self.server.address)
        self.server.__enter__()

    def __enter__(self) -> Self:
        self.own.__enter__()
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.close()
        self.own.__exit__(kind, error, at)
