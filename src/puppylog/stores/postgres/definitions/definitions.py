"""Definitions of groups, metrics and alerts: changed by one client at a time, each change in one transaction.

Apart from the store itself, because only who defines something needs the parser of expressions.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from puppylog.errors import StoreUnavailable
from puppylog.model.alert import Alert
from puppylog.model.metric import Metric
from puppylog.stores.postgres.definitions import alerts, metrics
from puppylog.stores.postgres.ingest import streams
from puppylog.stores.postgres.schema.installation import Installation
from puppylog.stores.postgres.sessions.link import Link
from puppylog.stores.postgres.sessions.session import Session

T = TypeVar("T")

_PAUSES_S: Final = (0.1, 0.3, 1.0)


class Definitions:
    """What `puppylog.stores.base.DefinitionStore` wants, over one link."""

    def __init__(self, link: Link, installation: Installation) -> None:
        self._link = link
        self._installation = installation

    def create_group(self, name: str) -> bool:
        return self._link.call(lambda session: streams.create_group(session, name))

    def delete_group(self, name: str) -> None:
        self._define(lambda session: streams.delete_group(session, name))

    def create_metric(self, metric: Metric) -> bool:
        installed = self._installation
        stored = self._define(
            lambda session: metrics.create_metric(
                session, metric, is_timescale=installed.flavour.is_timescale, drop_after_s=installed.drop_after_s
            )
        )
        if stored is not None:
            self._link.call(lambda session: metrics.materialize(session, stored))
        return stored is not None

    def delete_metric(self, name: str) -> None:
        self._define(lambda session: metrics.delete_metric(session, name))

    def list_metrics(self) -> Sequence[Metric]:
        return [stored.metric for stored in self._link.call(metrics.list_metrics)]

    def create_alert(self, alert: Alert) -> bool:
        return self._define(lambda session: alerts.create_alert(session, alert))

    def delete_alert(self, name: str) -> None:
        self._define(lambda session: alerts.delete_alert(session, name))

    def list_alerts(self) -> Sequence[Alert]:
        return self._link.call(alerts.list_alerts)

    def _define(self, work: Callable[[Session], T]) -> T:
        def alone(session: Session) -> T:
            with session.transaction():
                alerts.lock_definitions(session)
                return work(session)

        for pause_s in _PAUSES_S:
            try:
                return self._link.call(alone)
            except (
                StoreUnavailable
            ):  # TimescaleDB's policies are at the same catalogue, and win: once more, from the start
                time.sleep(pause_s)
        return self._link.call(alone)
