"""What the contract suite asks of a store's server, besides a store: to be connected to, and to be late on purpose."""

from datetime import datetime
from typing import Protocol

from puppylog.stores.base import Store


class StoreServer(Protocol):
    """A store of the test's own, empty, with somebody who refreshes its metrics and evaluates its alerts."""

    @property
    def name(self) -> str:
        """Which store it is: one of those that `contract.differences` speaks of."""

    @property
    def url(self) -> str: ...

    def connect(self) -> Store:
        """Return one more connected store; the server closes it."""

    def is_settled(self, store: Store) -> bool:
        """Whether the metrics have taken in whatever has come late."""

    def away_since(self, evaluated_at: datetime) -> None:
        """Let the store believe that nobody has evaluated an alert since; then its evaluator is back."""
