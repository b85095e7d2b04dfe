"""E-mail by SMTP, as plain text and as HTML."""

import email.errors
import email.policy
import email.utils
import hashlib
import html
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import ClassVar, Final, Literal

from puppylog.notify.contact import Delivery, secret_field
from puppylog.notify.deadline import DeadlinePassed, run_until
from puppylog.notify.failure import failed, first_line
from puppylog.notify.message import Message
from puppylog.notify.network import explain_network_error, make_tls_context
from puppylog.notify.render import SIZES, Part, Style, compose, format_plain, format_title
from puppylog.notify.text import cut_text

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_MAX_SUBJECT: Final = 150  # characters
_MIN_TIMEOUT_S: Final = 0.05
_ID_LENGTH: Final = 40  # characters of a hash
_DOMAIN: Final = "puppylog.invalid"  # of the identities of messages; a host's name would say where the store is

# Servers that take bytes of eight bits are not the only ones.
_POLICY: Final = email.policy.SMTP.clone(cte_type="7bit")
_PERMANENT: Final = 500  # answers of SMTP from here on say that the same message is never accepted

_NOT_OFFERED: Final = "the server does not offer what the contact needs: STARTTLS, a login, or UTF-8 in addresses"
_NOT_ALLOWED: Final = "an address, the user or the password has characters that are not allowed"
_WORDS: Final[Mapping[type[Exception], tuple[str, bool]]] = {
    smtplib.SMTPNotSupportedError: (_NOT_OFFERED, True),
    smtplib.SMTPServerDisconnected: ("the server closed the connection", False),
    smtplib.SMTPException: ("the server does not speak SMTP as expected", True),
    socket.gaierror: ("the name of the host does not resolve", False),
    email.errors.MessageError: (_NOT_ALLOWED, True),
    ValueError: (_NOT_ALLOWED, True),
    IndexError: (_NOT_ALLOWED, True),
}
"""The cause of an error, and whether it is final. The first class that fits counts."""


@dataclass(frozen=True, kw_only=True)
class Email:
    """Addresses of e-mail, and the server that takes messages to them.

    Attributes:
        name: by which an alert names the contact.
        host: the server's name.
        to: the addresses.
        sender: the address in the From header.
        port: default 587 with starttls, 465 with tls, 25 with none.
        security: how the connection is encrypted: ``starttls``, ``tls`` from its start, or ``none``.
        user: the user name of the login; empty if the server needs no login.
        password: the password of the login.
        ca_file: CA certificates to trust, in addition to those of the system.
    """

    type: ClassVar[str] = "email"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str
    host: str
    to: tuple[str, ...]
    sender: str
    port: int = 0
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = secret_field(default="")
    ca_file: str = ""

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`."""
        server = f"{self.host}:{self._port}"
        try:
            return run_until(delivery.deadline, self._deliver, self.draw(message, delivery), delivery)
        except DeadlinePassed:
            raise failed(self.name, "there is no answer yet", server=server) from None
        except Exception as error:  # noqa: BLE001 - smtplib, ssl, socket and email raise errors of many classes
            cause, is_final = self._explain(error)
            raise failed(self.name, cause, server=server, is_final=is_final) from None  # its text may hold the password

    @property
    def _port(self) -> int:
        return self.port or _PORTS[self.security]

    def draw(self, message: Message, delivery: Delivery) -> EmailMessage:
        """Return the message as an e-mail.

        A message that is sent again has the same identity, and the messages about one firing refer to the first one.
        """
        parts = compose(message, SIZES[0])
        mail = EmailMessage(_POLICY)
        mail["Subject"] = cut_text(format_title(message, _MAX_SUBJECT // 2), _MAX_SUBJECT)
        mail["From"] = _address(self.sender)
        mail["To"] = tuple(map(_address, self.to))
        mail["Date"] = email.utils.format_datetime(delivery.now)
        mail["Message-ID"] = f"<{message.identity[:_ID_LENGTH]}@{_DOMAIN}>"
        mail["References"] = _thread_of(message)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(format_plain(parts) + "\n")
        mail.add_alternative(_draw_html(parts), subtype="html")
        return mail

    def _deliver(self, mail: EmailMessage, delivery: Delivery) -> str:
        """Send the mail, and return what the server answered."""
        context = make_tls_context(self.ca_file)
        timeout = max(_MIN_TIMEOUT_S, delivery.deadline - time.monotonic())
        me = socket.gethostname() or "localhost"  # smtplib would ask the network for its name
        server: smtplib.SMTP
        if self.security == "tls":
            server = smtplib.SMTP_SSL(self.host, self._port, local_hostname=me, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(self.host, self._port, local_hostname=me, timeout=timeout)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            refused = server.send_message(mail)
        finally:
            _close(server)
        if refused:
            codes = ", ".join(f"{address}: {self._answer(code, text)}" for address, (code, text) in refused.items())
            return f"accepted, but not for {first_line(codes, [self.password])}"
        return "accepted"

    def _explain(self, error: Exception) -> tuple[str, bool]:
        """Return the cause of an error, and whether it is final."""
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            answers = list(error.recipients.values())
            is_final = all(code >= _PERMANENT for code, _ in answers)
            return f"the server refuses every address: {self._answer(*answers[0])}", is_final
        if isinstance(error, smtplib.SMTPResponseException):
            answer = self._answer(error.smtp_code, error.smtp_error)
            is_login = isinstance(error, smtplib.SMTPAuthenticationError)
            attempt = "refuses the login" if is_login else "does not take the message"
            return f"the server {attempt}: {answer}", error.smtp_code >= _PERMANENT
        if isinstance(error, ssl.SSLError):  # a certificate that is not valid is a ValueError, too
            return explain_network_error(error)
        if isinstance(error.__context__, TimeoutError):  # smtplib calls every error of reading a disconnection
            return explain_network_error(error.__context__)
        known = next((words for kind, words in _WORDS.items() if isinstance(error, kind)), None)
        return known or explain_network_error(error)

    def _answer(self, code: int, text: bytes | str) -> str:
        shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
        return f"{code} {first_line(shown, [self.password])}".rstrip()


def _close(server: smtplib.SMTP) -> None:
    """End the session. The message has been accepted or refused before, so an error at the end does not matter."""
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


def _address(text: str) -> Address:
    """Return an address, written as ``ops@example.com`` or as ``Operations <ops@example.com>``.

    Raises:
        ValueError: it is not one address.
    """
    if not text.isprintable():
        raise ValueError("an address has no control characters")
    [(shown, address)] = email.utils.getaddresses([text])
    return Address(display_name=shown, addr_spec=address)


def _thread_of(message: Message) -> str:
    """Return the identity to which all messages about the firing of the first segment refer."""
    return f"<{hashlib.sha256(message.segments[0].key.encode()).hexdigest()[:_ID_LENGTH]}@{_DOMAIN}>"


def _draw_html(parts: Sequence[Part]) -> str:
    return "<!DOCTYPE html>\n<html><body>\n" + "\n".join(_iter_html(parts)) + "\n</body></html>\n"


def _iter_html(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        text = html.escape(part.text)
        match part.style:
            case Style.TITLE:
                yield f"<h3>{text}</h3>"
            case Style.BLOCK:
                yield f"<pre>{text}</pre>"
            case Style.COMMAND:
                yield f"<p>More: <code>{text}</code></p>"
            case Style.LINK if part.text.startswith(("http://", "https://")):
                yield f'<p>Page: <a href="{text}">{text}</a></p>'
            case _:
                yield f"<p>{text}</p>"
