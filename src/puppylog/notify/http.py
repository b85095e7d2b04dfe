"""One HTTP request of a contact: until a deadline, through a proxy if one is set, with the certificate verified.

No redirect is followed: a receiver could send the message, and the secret in its headers, to another host. At most
64 KiB of an answer are read.
"""

import json
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

import urllib3
import urllib3.connection

from puppylog import __version__
from puppylog.notify.contact import Delivery
from puppylog.notify.deadline import DeadlinePassed, run_until
from puppylog.notify.failure import failed, first_line, is_retried, parse_retry_after, secrets_of_url, server_of
from puppylog.notify.network import explain_network_error, find_proxy, make_tls_context

_MAX_ANSWER_BYTES: Final = 65_536
_PIECE_BYTES: Final = 8_192
_MIN_TIMEOUT_S: Final = 0.05
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a contact. No part of it is ever shown, except scheme and host of the URL."""

    contact: str  # the name of the contact, for errors
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)  # texts that must not be in an error
    ca_file: str = ""  # a file with CA certificates to trust, in addition to those of the system


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str = field(repr=False)  # the beginning of the body; may hold a secret that the receiver repeats
    line: str  # its first line, safe to show

    def describe(self) -> str:
        """Return the answer in one line, such as ``200 ok``."""
        return f"{self.status} {self.line}".rstrip()


def post_json(
    contact: str,
    url: str,
    document: object,
    delivery: Delivery,
    *,
    headers: Mapping[str, str] | None = None,
    secrets: Iterable[str] = (),
    ca_file: str = "",
) -> Answer:
    """Send a document as JSON, and return the answer.

    Args:
        contact: the name of the contact.
        url: of the receiver; a user and a password in it are sent as the header of basic authentication.
        document: what to send.
        delivery: the deadline and the proxies.
        headers: further headers.
        secrets: further texts that must not be in an error.
        ca_file: see `Request`.

    Raises:
        DeliveryFailed: there was no answer, or it was not one of success.
    """
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    hidden = frozenset(secrets) | secrets_of_url(url)
    return post(Request(contact, url, body, {**_JSON, **(headers or {})}, hidden, ca_file), delivery)


def post(request: Request, delivery: Delivery) -> Answer:
    """Send a request, and return the answer.

    Raises:
        DeliveryFailed: there was no answer, or it was not one of success.
    """
    server = _check_url(request)
    connections = _Connections()
    try:
        status, headers, text = run_until(delivery.deadline, _exchange, request, delivery, connections)
    except DeadlinePassed:
        connections.cut()
        raise failed(request.contact, "there is no answer yet", server=server) from None
    except Exception as error:  # noqa: BLE001 - urllib3, http.client and ssl raise errors of many classes
        cause, is_final = explain_network_error(error)
        raise failed(request.contact, cause, server=server, is_final=is_final) from None  # its text may hold the URL
    answer = Answer(status, text, first_line(text, request.secrets))
    if 200 <= status < 300:
        return answer
    if 300 <= status < 400:
        cause = f"the receiver answered {status}, and redirects to {server_of(headers.get('location', '')) or 'a path'}"
        raise failed(request.contact, cause, "name the new address", server=server, is_final=True)
    raise failed(
        request.contact,
        f"the receiver answered {answer.describe()}",
        server=server,
        is_final=not is_retried(status),
        retry_after_s=parse_retry_after(headers.get("retry-after"), delivery.now),
    )


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token; none if the token is empty."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def _check_url(request: Request) -> str:
    """Return the server of the URL.

    Raises:
        DeliveryFailed: it is not a URL of HTTP, or a header has a character that HTTP does not allow.
    """
    server = server_of(request.url)
    if not server.startswith(("http://", "https://")):
        raise failed(request.contact, "its URL is not one of http:// or https://", is_final=True)
    if not (request.url.isascii() and request.url.isprintable() and " " not in request.url):
        raise failed(request.contact, "its URL has characters that are not allowed", server=server, is_final=True)
    for name, value in request.headers.items():
        if not (value.isascii() and value.isprintable()):
            cause = f"the value for the header {name} has characters that are not allowed"
            raise failed(request.contact, cause, server=server, is_final=True)
    return server


class _Connections:
    """The connections of one attempt, whose thread may wait for a receiver that sends one byte at a time."""

    def __init__(self) -> None:
        self._opened: list[urllib3.connection.HTTPConnection] = []

    def note_those_of(self, pool: urllib3.HTTPConnectionPool) -> None:
        """Note every connection that the pool opens from now on."""
        opened, kind = self._opened, pool.ConnectionCls

        class Noted(kind):  # type: ignore[misc,valid-type] # the pool says which class: of HTTP or of HTTPS
            def connect(self) -> None:
                opened.append(self)
                super().connect()

        pool.ConnectionCls = Noted

    def cut(self) -> None:
        """Shut the connections down, so that a thread that waits for them gets an error."""
        for connection in self._opened:
            with suppress(OSError, AttributeError):  # it is not connected yet, or closed already
                connection.sock.shutdown(socket.SHUT_RDWR)


def _exchange(request: Request, delivery: Delivery, connections: _Connections) -> tuple[int, Mapping[str, str], str]:
    """Return status, headers in lower case, and the beginning of the body."""
    timeout = urllib3.Timeout(total=max(_MIN_TIMEOUT_S, delivery.deadline - time.monotonic()))
    url = _without_user(request.url)
    with _open_pool(request, delivery) as pool:
        connections.note_those_of(pool.connection_from_url(url))
        response = pool.request(
            "POST",
            url,
            body=request.body,
            headers={"User-Agent": f"puppylog/{__version__}", **_basic(request.url), **request.headers},
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        headers = {name.lower(): value for name, value in response.headers.items()}
        try:
            return response.status, headers, _read_beginning(response, delivery.deadline)
        except urllib3.exceptions.HTTPError:  # the status says whether the message was accepted
            return response.status, headers, ""
        finally:
            response.close()


def _open_pool(request: Request, delivery: Delivery) -> urllib3.PoolManager:
    context = make_tls_context(request.ca_file)
    proxy = find_proxy(request.url, delivery.proxies)
    if proxy:
        headers = urllib3.make_headers(proxy_basic_auth=_user_and_password(proxy)) if _user_and_password(proxy) else {}
        return urllib3.ProxyManager(_without_user(proxy), proxy_headers=headers, ssl_context=context)
    return urllib3.PoolManager(ssl_context=context)


def _read_beginning(response: urllib3.BaseHTTPResponse, deadline: float) -> str:
    data = b""
    while len(data) < _MAX_ANSWER_BYTES and time.monotonic() < deadline:
        piece = response.read(_PIECE_BYTES)
        if not piece:
            break
        data += piece
    return data[:_MAX_ANSWER_BYTES].decode("utf-8", "replace")


def _user_and_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is None:
        return ""
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def _basic(url: str) -> dict[str, str]:
    pair = _user_and_password(url)
    return dict(urllib3.make_headers(basic_auth=pair)) if pair else {}


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
