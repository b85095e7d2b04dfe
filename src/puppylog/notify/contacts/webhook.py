"""A webhook: the payload, version 4, that Prometheus' Alertmanager sends, so that its receivers work unchanged."""

from dataclasses import dataclass
from typing import ClassVar

from puppylog.notify.alertmanager_form import webhook_payload
from puppylog.notify.contact import Delivery, open_field, secret_field
from puppylog.notify.http import bearer, post_json
from puppylog.notify.message import Message


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Any receiver of HTTP that reads the payload of Alertmanager's webhooks.

    Attributes:
        name: by which an alert names the contact.
        url: the URL of the receiver; may hold a user and a password.
        token: sent as ``Authorization: Bearer``; empty if the receiver needs none.
        ca_file: CA certificates to trust, in addition to those of the system.
    """

    type: ClassVar[str] = "webhook"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = 1_000

    name: str
    url: str = open_field()
    token: str = secret_field(default="")
    ca_file: str = ""

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`.

        A message that is sent again has the same ``Idempotency-Key``.
        """
        return post_json(
            self.name,
            self.url,
            webhook_payload(message, self.name),
            delivery,
            headers={**bearer(self.token), "Idempotency-Key": message.identity},
            secrets={self.token},
            ca_file=self.ca_file,
        ).describe()
