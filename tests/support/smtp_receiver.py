"""An SMTP server on loopback that records what it gets, and answers as a test tells it."""

import asyncio
import email
import email.policy
import socket
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword


class _Controller(Controller):
    @property
    def bound_port(self) -> int:
        assert isinstance(self.server, asyncio.Server)
        return int(self.server.sockets[0].getsockname()[1])

    def _trigger_server(self) -> None:
        """Make the first connection. aiosmtpd itself would connect to port 0."""
        with socket.create_connection(("127.0.0.1", self.bound_port), timeout=5) as connection:
            connection.recv(1024)


class SmtpReceiver:
    """Usable with ``with``.

    Attributes:
        mails: what was received, as parsed messages.
        recipients: the addresses of each.
        refuses: an answer for each address that is refused.
        answer: the answer to the text of a message.
    """

    def __init__(self, *, certificate: Path | None = None, login: tuple[str, str] | None = None) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[tuple[str, str]] = []
        self.refuses: dict[str, str] = {}
        self.answer = "250 OK"
        self._login = login
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        self._controller = _Controller(
            self,
            hostname="127.0.0.1",
            port=0,
            tls_context=context,
            require_starttls=context is not None,
            auth_required=login is not None,
            authenticator=self._authenticate if login else None,
        )

    @property
    def port(self) -> int:
        return self._controller.bound_port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - as above
        if self.answer.startswith("2"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients.append(list(map(str, envelope.rcpt_tos)))
        return self.answer

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        pair = (data.login.decode(), data.password.decode())
        self.logins.append(pair)
        return AuthResult(success=pair == self._login, handled=False)
