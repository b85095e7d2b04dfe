"""The interface of a store under the contract suite."""

from datetime import datetime
from typing import Protocol

from puppylog.stores.base import Store


class StoreServer(Protocol):
    """An empty store for one test, with a process that refreshes its metrics and evaluates its alerts."""

    @property
    def name(self) -> str:
        """The name of the store, one of those in `contract.differences`."""

    @property
    def url(self) -> str: ...

    @property
    def database_url(self) -> str:
        """The URL of the store itself; the same as `url`, unless clients reach the store through a server."""

    def connect(self) -> Store:
        """Return a new connection to the store. The server closes it at the end."""

    def is_settled(self, store: Store) -> bool:
        """Return whether the metrics contain all late records."""

    def pretend_last_evaluation(self, evaluated_at: datetime) -> None:
        """Set the time of the last evaluation of all alerts, then let the evaluator go on."""
