"""Definitions and retention, for a client that asks an engine or a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a command that reads records uses none of these
    from puppylog.model.alert import Alert
    from puppylog.model.metric import Metric
    from puppylog.model.retention import Retention


class DefinitionClient:
    """Implements `puppylog.stores.base.DefinitionStore` and `RetentionStore`, given `_ask`."""

    def _ask(self, call: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a call that is safe to repeat."""
        raise NotImplementedError

    def create_group(self, name: str) -> bool:
        return bool(self._ask("create_group", name=name))

    def delete_group(self, name: str) -> None:
        self._ask("delete_group", name=name)

    def create_metric(self, metric: Metric) -> bool:
        return bool(self._ask("create_metric", metric=metric))

    def update_metric(self, metric: Metric) -> bool:
        return bool(self._ask("update_metric", metric=metric))

    def delete_metric(self, name: str) -> None:
        self._ask("delete_metric", name=name)

    def list_metrics(self) -> Sequence[Metric]:
        from puppylog.stores import values  # noqa: PLC0415 - most commands define nothing

        return [values.to_metric(plain) for plain in self._ask("list_metrics")]

    def create_alert(self, alert: Alert) -> bool:
        return bool(self._ask("create_alert", alert=alert))

    def update_alert(self, alert: Alert) -> bool:
        return bool(self._ask("update_alert", alert=alert))

    def delete_alert(self, name: str) -> None:
        self._ask("delete_alert", name=name)

    def list_alerts(self) -> Sequence[Alert]:
        from puppylog.stores import values  # noqa: PLC0415 - most commands define nothing

        return [values.to_alert(plain) for plain in self._ask("list_alerts")]

    def set_retention(self, retention: Retention) -> bool:
        return bool(self._ask("set_retention", retention=retention))

    def get_retention(self) -> Retention:
        from puppylog.stores import values  # noqa: PLC0415 - most commands define nothing

        return values.to_retention(self._ask("get_retention"))

    def forget_stream(self, source_uri: str) -> None:
        self._ask("forget_stream", source_uri=source_uri)
