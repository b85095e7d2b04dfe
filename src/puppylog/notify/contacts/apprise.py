"""Apprise: about 190 services by one package, which is an extra because it is large."""

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from puppylog.notify.contact import Delivery, secret_field
from puppylog.notify.deadline import DeadlinePassed, run_until
from puppylog.notify.failure import failed
from puppylog.notify.message import Kind, Message
from puppylog.notify.render import Style, fit, format_plain, format_title

_MAX_CHARACTERS: Final = 2_000  # what most of the services take; Apprise itself cuts for those that take less
_TYPES: Final = {
    Kind.FIRING: "failure",
    Kind.NO_DATA: "warning",
    Kind.RESOLVED: "success",
    Kind.ACKNOWLEDGED: "info",
}


@dataclass(frozen=True, kw_only=True)
class Apprise:
    """A service that Apprise knows. Needs the package ``apprise``: install ``puppylog[apprise]``.

    Attributes:
        name: by which an alert names the contact.
        url: Apprise's URL for the service, which holds its secrets, such as ``tgram://token/chat``.
    """

    type: ClassVar[str] = "apprise"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str
    url: str = secret_field()

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`. Apprise says only whether the service took it."""
        try:
            apprise = importlib.import_module("apprise")
        except ImportError:
            raise failed(
                self.name, "the package apprise is not installed", "install puppylog[apprise]", is_final=True
            ) from None
        text = fit(
            message,
            lambda parts: format_plain([part for part in parts if part.style is not Style.TITLE]),
            lambda drawn: len(drawn) <= _MAX_CHARACTERS,
        )
        try:
            was_sent = run_until(delivery.deadline, self._notify, apprise, message, text)
        except DeadlinePassed:
            raise failed(self.name, "there is no answer yet") from None
        except Exception as error:  # noqa: BLE001 - a plugin of Apprise may raise anything, with the URL in its text
            raise failed(self.name, f"Apprise failed ({type(error).__name__})") from None
        if was_sent is None:
            raise failed(self.name, "Apprise does not know a service with this URL", is_final=True)
        if not was_sent:
            raise failed(self.name, "the service did not take it, and Apprise does not say why")
        return "the service took it"

    def _notify(self, apprise: Any, message: Message, text: str) -> bool | None:  # noqa: ANN401 - an optional package
        """Return whether the service took the message; None if there is no such service."""
        sender = apprise.Apprise()
        if not sender.add(self.url):
            return None
        title = format_title(message)
        return bool(sender.notify(body=text, title=title, notify_type=_TYPES[message.kind], body_format="text"))
