"""A store behind a server, for the contract suite: a server in the process of the tests, in front of another store."""

from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

from puppylog.config.listen import ListenConfig
from puppylog.model.address import Address
from puppylog.serve.limits import Limits
from puppylog.serve.server import Server
from puppylog.settings import read_settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from support.server import StoreServer

# The server of `up` also ends running requests at its end; a test has none that matter.
_LIMITS = Limits(end_s=0.5)


class RemoteStoreServer:
    """A server in front of a store. Usable with ``with``."""

    def __init__(self, name: str, backing: StoreServer) -> None:
        """Use a store whose server is running.

        Args:
            name: of this store, one of those in `contract.differences`.
            backing: the store behind the server.
        """
        self.name = name
        self._backing = backing
        self._stack = ExitStack()
        self.reported: list[str] = []
        settings = read_settings({"store": backing.url, "host": "web1"}, {"HOME": "/"})
        listen = ListenConfig(address=Address("127.0.0.1", 0))
        self._server = Server(listen, settings, report=self.reported.append, limits=_LIMITS)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def database_url(self) -> str:
        return self._backing.database_url

    def connect(self) -> Store:
        return self._stack.enter_context(connect(self.url))

    def is_settled(self, store: Store) -> bool:
        return self._backing.is_settled(store)

    def pretend_last_evaluation(self, evaluated_at: datetime) -> None:
        self._backing.pretend_last_evaluation(evaluated_at)

    def __enter__(self) -> Self:
        self._stack.enter_context(self._server)
        self._backing.connect()  # the backing store's server wakes its process through a client of its own
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        assert not self.reported, self.reported
