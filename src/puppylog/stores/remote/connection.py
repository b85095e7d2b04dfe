"""Calls of a remote store: one POST each, whose answer is read frame by frame. For several threads."""

import secrets
import socket
import ssl
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import urlsplit

import urllib3
import urllib3.connection

from puppylog import __version__
from puppylog.errors import ConfigurationError, PuppylogError, StoreForbidden, StoreUnavailable
from puppylog.stores import messages
from puppylog.stores.address import StoreAddress
from puppylog.stores.remote.failures import HOW_TO_AUTHORIZE, is_answer_of_store, translate_exception, translate_status
from puppylog.stores.remote.frames import END, BrokenFrames, Frame, Kind, iter_frames, pack_frame
from puppylog.stores.remote.protocol import (
    CALL_HEADER,
    CONTENT_TYPE,
    PREFIX,
    PROTOCOL,
    PROTOCOL_HEADER,
    SESSION_HEADER,
    SILENCE_S,
    unpack_failure,
)
from puppylog.stores.remote.url import parse_remote_url

_CONNECT_S: Final = 10.0
_CONNECTIONS: Final = 8  # that are kept open between two calls; more are opened if more threads call


class Answer:
    """The answer to a call. Its frames are read once."""

    def __init__(self, response: urllib3.BaseHTTPResponse, name: str) -> None:
        self._response = response
        self._name = name

    def iter_frames(self) -> Iterator[Frame]:
        """Yield the frames, without those that only ask to wait.

        Raises:
            PuppylogError: the server has sent an error.
            StoreUnavailable: the answer is cut, or is not the server's.
        """
        failure: PuppylogError | None = None
        try:
            for frame in iter_frames(self._read):
                if frame.kind is Kind.ERROR:
                    failure = unpack_failure(bytes(frame.payload)) or self._broken("an error in it cannot be read")
                elif frame.kind is not Kind.WAIT:
                    yield frame
        except BrokenFrames as error:
            raise failure or self._broken(str(error)) from None
        self._read(1)  # the end of the body, so that the connection can be used again
        if failure is not None:
            raise failure

    def read_json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the one JSON value of the answer."""
        values = [frame.payload for frame in self.iter_frames() if frame.kind is Kind.JSON]
        if len(values) != 1:
            raise self._broken("it has no value")
        try:
            return messages.decode(values[0])
        except PuppylogError as error:
            raise self._broken(error.cause) from None

    def cut(self) -> None:
        """Cut the connection, so that a thread that reads the answer gets an error."""
        connection = self._response.connection
        if connection is not None:
            _shut(connection)

    def _read(self, size: int) -> bytes:
        try:
            return self._response.read(size)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise translate_exception(error, self._name) from None

    def _broken(self, cause: str) -> StoreUnavailable:
        return StoreUnavailable("read", f"the answer of store {self._name}", cause)


class Connection:
    """The connections to one server. A call opens one if all are in use."""

    def __init__(self, address: StoreAddress) -> None:
        """Check the address. Nothing is sent yet.

        Raises:
            ConfigurationError: the URL, the token file or the file with certificates cannot be used.
        """
        self.name = parse_remote_url(address.url)
        self._address = address
        self._lock = threading.Lock()
        self._token = address.read_token()  # under the lock
        self._is_closed = False  # under the lock
        self._is_known = False  # whether the server has answered a call; no lock: it only ever becomes true
        self._sockets: weakref.WeakSet[urllib3.connection.HTTPConnection] = weakref.WeakSet()  # under the lock
        timeout = urllib3.Timeout(connect=_CONNECT_S, read=SILENCE_S)
        options: dict[str, Any] = {"timeout": timeout, "retries": False, "maxsize": _CONNECTIONS, "block": False}
        if self.name.startswith("https:"):
            options["ssl_context"] = _make_tls_context(address.ca_file)
        self._pool = urllib3.connection_from_url(self.name, **options)
        self._note_sockets()

    def ask(self, call: str, arguments: Mapping[str, object], *, session: str = "", is_repeatable: bool = True) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON value that answers a call with JSON arguments.

        If the connection breaks and the call is repeatable, the call is repeated with the same id.
        """
        body = [pack_frame(Kind.JSON, messages.encode(arguments)), END]
        call_id = secrets.token_hex(16)
        for is_last in (not is_repeatable, True):
            try:
                with self.open(call, body, session=session, call_id=call_id) as answer:
                    return answer.read_json()
            except StoreUnavailable:
                if is_last:
                    raise
        raise AssertionError  # the loop returns or raises

    @contextmanager
    def open(self, call: str, body: Sequence[bytes], *, session: str = "", call_id: str = "") -> Iterator[Answer]:
        """Send a call, and yield its answer as soon as the answer begins.

        Args:
            call: the last part of the path.
            body: frames, with END at the end.
            session: the id of the client's session; empty if there is none.
            call_id: the id of the call, if it is repeated.

        Raises:
            PuppylogError: see `failures`, and the errors that the server sends.
        """
        call_id = call_id or secrets.token_hex(16)
        response = self._post(call, body, session, call_id)
        try:
            self._check(response, call_id)
            yield Answer(response, self.name)
        finally:
            response.close()  # a connection whose answer was read to its end has been given back already

    def _post(self, call: str, body: Sequence[bytes], session: str, call_id: str) -> urllib3.BaseHTTPResponse:
        for is_last in (False, True):
            with self._lock:
                token, is_closed = self._token, self._is_closed
            if is_closed:
                raise StoreUnavailable("use", f"store {self.name}", "the connection was closed")
            headers = {
                "Content-Type": CONTENT_TYPE,
                "Content-Length": str(sum(len(piece) for piece in body)),
                "User-Agent": f"puppylog/{__version__}",
                PROTOCOL_HEADER: str(PROTOCOL),
                CALL_HEADER: call_id,
                **({SESSION_HEADER: session} if session else {}),
                **({"Authorization": f"Bearer {token}"} if token else {}),
            }
            response = self._send(call, body, headers)
            if is_last or response.status != 401 or not self._has_new_token(token):
                return response
            response.close()
        raise AssertionError  # the loop returns

    def _send(self, call: str, body: Sequence[bytes], headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.urlopen(
                "POST",
                f"{self._path}{PREFIX}{call}",
                body=iter(body),
                headers=headers,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise translate_exception(error, self.name) from None

    @property
    def _path(self) -> str:
        return urlsplit(self.name).path

    def _has_new_token(self, refused: str) -> bool:
        """Read the token file again, and return whether its token differs from the one that was refused."""
        token = self._address.read_token()
        with self._lock:
            self._token = token
        return token != refused

    def _check(self, response: urllib3.BaseHTTPResponse, call_id: str) -> None:
        """Raise an error if this is not the server's answer to the call."""
        if not is_answer_of_store(response.headers):
            has_token = bool(self._token)
            raise translate_status(
                response.status, response.headers, self.name, has_token=has_token, is_first=not self._is_known
            )
        self._is_known = True
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise self._refused_token(response)
        if response.headers.get(CALL_HEADER, "") != call_id:
            raise StoreUnavailable("read", f"the answer of store {self.name}", "it belongs to another call")

    def _refused_token(self, response: urllib3.BaseHTTPResponse) -> PuppylogError:
        """Return why the server does not accept the token, and what the user can do."""
        try:
            Answer(response, self.name).read_json()
        except StoreForbidden as error:
            return StoreForbidden("use", f"store {self.name}", error.cause, HOW_TO_AUTHORIZE)
        except PuppylogError as error:
            return error
        return StoreUnavailable("read", f"the answer of store {self.name}", "it has the status 401, but no error")

    def _note_sockets(self) -> None:
        """Note every connection that is opened from now on, so that `cut` finds them."""
        lock, sockets, kind = self._lock, self._sockets, self._pool.ConnectionCls

        class Noted(kind):  # type: ignore[misc,valid-type] # the pool says which class: of HTTP or of HTTPS
            def connect(self) -> None:
                with lock:
                    sockets.add(self)
                super().connect()

        self._pool.ConnectionCls = Noted

    def close(self) -> None:
        """Close all connections. A call of another thread gets an error."""
        with self._lock:
            self._is_closed = True
            sockets = list(self._sockets)
        for connection in sockets:
            _shut(connection)
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _shut(connection: Any) -> None:  # noqa: ANN401 - urllib3 has no common type of what it returns here
    with suppress(OSError, AttributeError):  # it is not connected, or closed already
        connection.sock.shutdown(socket.SHUT_RDWR)


def _make_tls_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError:
            raise ConfigurationError("read", f"the certificates in {ca_file}", "it has no certificate") from None
        except OSError as error:
            raise ConfigurationError("read", f"the certificates in {ca_file}", error.strerror or "") from None
    return context
