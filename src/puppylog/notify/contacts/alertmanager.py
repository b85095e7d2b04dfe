"""Prometheus' Alertmanager: alerts by version 2 of its API, sent again while they fire.

Alertmanager itself resolves an alert at the end that its last message named. Each message names an end several
repetitions ahead, so that one that is lost or late does not make the alert resolve and fire again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Final

from puppylog.notify.alertmanager_form import annotations_of, labels_of, write_instant
from puppylog.notify.contact import Delivery, open_field, secret_field
from puppylog.notify.http import bearer, post_json
from puppylog.notify.message import Kind, Message, SegmentReport
from puppylog.notify.text import checked_link

_RESEND_S: Final = 60
_REPETITIONS_AHEAD: Final = 5


@dataclass(frozen=True, kw_only=True)
class Alertmanager:
    """An Alertmanager, which groups, silences and passes on by its own rules.

    Attributes:
        name: by which an alert names the contact.
        url: the URL of the Alertmanager, such as ``http://alertmanager:9093``; may hold a user and a password.
        token: sent as ``Authorization: Bearer``; empty if the Alertmanager needs none.
        labels: further labels of each alert, by which Alertmanager's routes choose.
        ca_file: CA certificates to trust, in addition to those of the system.
    """

    type: ClassVar[str] = "alertmanager"
    resend_s: ClassVar[int | None] = _RESEND_S
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = 1_000

    name: str
    url: str = open_field()
    token: str = secret_field(default="")
    labels: Mapping[str, str] = field(default_factory=dict)
    ca_file: str = ""

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`."""
        return post_json(
            self.name,
            f"{self.url.rstrip('/')}/api/v2/alerts",
            [self._alert(message, report, delivery) for report in message.segments],
            delivery,
            headers=bearer(self.token),
            secrets={self.token},
            ca_file=self.ca_file,
        ).describe()

    def _alert(self, message: Message, report: SegmentReport, delivery: Delivery) -> dict[str, object]:
        if report.kind is Kind.RESOLVED:
            # An end in the future would let the alert fire on until then.
            ends_at = min(report.ended_at or delivery.now, delivery.now)
        else:
            ends_at = delivery.now + timedelta(seconds=_REPETITIONS_AHEAD * _RESEND_S)
        return {
            "labels": labels_of(message, report, self.labels),
            "annotations": annotations_of(message, report),
            "startsAt": write_instant(min(report.since, ends_at)),
            "endsAt": write_instant(ends_at),
            "generatorURL": checked_link(message.link),
        }
