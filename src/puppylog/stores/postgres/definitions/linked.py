"""The definitions of a PostgreSQL store over a link. Each change is a transaction, by one client at a time.

This module is apart from `store`, because only a command that defines something needs the parser of expressions.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from puppylog.errors import StoreUnavailable
from puppylog.model.alert import Alert
from puppylog.model.metric import Metric
from puppylog.model.retention import Retention
from puppylog.stores.postgres.definitions.materialize import materialize
from puppylog.stores.postgres.definitions.retention import read_retention, write_retention
from puppylog.stores.postgres.definitions.server import ServerDefinitions, lock_definitions
from puppylog.stores.postgres.schema.installation import Installation
from puppylog.stores.postgres.sessions.link import Link
from puppylog.stores.postgres.sessions.session import Session

T = TypeVar("T")

_PAUSES_S: Final = (0.1, 0.3, 1.0)


class LinkedDefinitions:
    """Implements `puppylog.stores.base.DefinitionStore`."""

    def __init__(self, link: Link, installation: Installation) -> None:
        self._link = link
        self._definitions = ServerDefinitions(installation)

    def create_group(self, name: str) -> bool:
        return self._link.call(lambda session: self._definitions.create_group(session, name))

    def delete_group(self, name: str) -> None:
        self._change(lambda session: self._definitions.delete_group(session, name))

    def forget_stream(self, source_uri: str) -> None:
        self._change(lambda session: self._definitions.forget_stream(session, source_uri))

    def create_metric(self, metric: Metric) -> bool:
        stored = self._change(lambda session: self._definitions.create_metric(session, metric))
        if stored is not None:
            self._link.call(lambda session: materialize(session, stored))
        return stored is not None

    def update_metric(self, metric: Metric) -> bool:
        stored = self._change(lambda session: self._definitions.update_metric(session, metric))
        if stored is not None:
            self._link.call(lambda session: materialize(session, stored))
        return stored is not None

    def delete_metric(self, name: str) -> None:
        self._change(lambda session: self._definitions.delete_metric(session, name))

    def list_metrics(self) -> Sequence[Metric]:
        return [stored.metric for stored in self._link.call(self._definitions.list_metrics)]

    def create_alert(self, alert: Alert) -> bool:
        return self._change(lambda session: self._definitions.create_alert(session, alert))

    def update_alert(self, alert: Alert) -> bool:
        return self._change(lambda session: self._definitions.update_alert(session, alert))

    def delete_alert(self, name: str) -> None:
        self._change(lambda session: self._definitions.delete_alert(session, name))

    def list_alerts(self) -> Sequence[Alert]:
        return [stored.alert for stored in self._link.call(self._definitions.list_alerts)]

    def set_retention(self, retention: Retention) -> bool:
        return self._change(lambda session: write_retention(session, retention))

    def get_retention(self) -> Retention:
        return self._link.call(read_retention)

    def _change(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction, and retry a few times: TimescaleDB's policies may conflict with the change."""

        def change(session: Session) -> T:
            with session.transaction():
                lock_definitions(session)
                return work(session)

        for pause_s in _PAUSES_S:
            try:
                return self._link.call(change)
            except StoreUnavailable:
                time.sleep(pause_s)
        return self._link.call(change)
