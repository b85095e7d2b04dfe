"""What a user reads if a remote store cannot be used: one line, the right exit code, and never a token."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.errors import ConfigurationError, PuppylogError, StoreForbidden, StoreRefused, StoreUnavailable
from puppylog.stores.address import StoreAddress
from puppylog.stores.connect import connect
from puppylog.stores.remote.frames import END, Kind, pack_frame
from puppylog.stores.remote.protocol import CALL_HEADER, CONTENT_TYPE, PROTOCOL
from support.certificate import write_certificate
from support.http_receiver import HttpReceiver, Received, Reply

TOKEN = "ppl_" + "s" * 43
HELLO = {"protocol": PROTOCOL, "version": "9", "info": {}, "full_rows": 1, "max_body": 1}


def refuse(address: StoreAddress | str) -> PuppylogError:
    """Return the error of a connection."""
    with pytest.raises(PuppylogError) as raised:
        connect(address)
    assert "\n" not in raised.value.message
    assert TOKEN not in raised.value.message
    return raised.value


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with HttpReceiver() as receiver:
        yield receiver


@pytest.mark.parametrize(
    ("reply", "kind", "cause"),
    [
        (
            Reply(404, "not here", {"Content-Type": "text/plain"}),
            StoreRefused,
            "no Puppylog server answers there: the status is 404",
        ),
        (
            Reply(200, "<html>Welcome</html>", {"Content-Type": "text/html"}),
            StoreRefused,
            "no Puppylog server answers there: the status is 200",
        ),
        (
            Reply(302, "", {"Location": "https://a.example"}),
            StoreRefused,
            "the status is 302; it redirects elsewhere",
        ),
        (
            Reply(421, "not my name"),
            StoreRefused,
            "the server does not accept this name as its own; add the name to hosts",
        ),
        (Reply(200, "", {"Content-Type": CONTENT_TYPE[:20]}), StoreUnavailable, "the answer was cut"),
        (Reply(200, between_bytes_s=0.001), StoreUnavailable, "the answer was cut"),
        (Reply(401, "who are you?"), StoreForbidden, "the server does not accept the token"),
        (Reply(403, "no"), StoreForbidden, "the token does not allow this"),
        (Reply(502, "<html>bad gateway</html>"), StoreUnavailable, "the server answers 502"),
        (Reply(503, "", {"Retry-After": "7"}), StoreUnavailable, "the server answers 503 and asks to wait 7 s"),
        (Reply(429, ""), StoreUnavailable, "the server answers 429"),
        (Reply(0), StoreUnavailable, ""),
    ],
)
def test_another_answer_than_the_servers_is_one_clear_error(
    receiver: HttpReceiver, reply: Reply, kind: type[PuppylogError], cause: str
) -> None:
    receiver.replies = [reply, reply]
    error = refuse(StoreAddress(receiver.url, token=TOKEN))
    assert type(error) is kind
    assert cause in error.message
    assert f"store {receiver.url}" in error.message


def test_a_server_that_asks_for_a_token_says_where_to_put_one(receiver: HttpReceiver) -> None:
    receiver.replies = [Reply(401, "")]
    error = refuse(receiver.url)
    assert error.cause == "the server asks for a token"
    assert "PUPPYLOG_TOKEN" in error.advice


def test_a_server_of_another_version_is_refused(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.stores.remote.connection.secrets.token_hex", lambda _: "1" * 32)
    body = pack_frame(Kind.JSON, json.dumps(HELLO | {"protocol": PROTOCOL + 1}).encode()) + END
    headers = {"Content-Type": CONTENT_TYPE, CALL_HEADER: "1" * 32}
    receiver.replies = [Reply(200, body.decode("latin-1"), headers)]
    error = refuse(receiver.url)
    assert type(error) is StoreRefused
    assert "the server runs Puppylog 9, which speaks another version of the protocol" in error.message


def test_the_token_is_sent_in_a_header_only(receiver: HttpReceiver) -> None:
    refuse(StoreAddress(receiver.url, token=TOKEN))
    (got,) = receiver.received
    assert got.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in got.path
    assert TOKEN.encode() not in got.body
    assert TOKEN not in repr(StoreAddress(receiver.url, token=TOKEN))


class Renewing(HttpReceiver):
    """Writes a new token into a file at each request."""

    def __init__(self, file: Path, *replies: Reply) -> None:
        super().__init__(*replies)
        self._file = file

    def answer(self, received: Received) -> Reply:
        self._file.write_text(f"ppl_{len(self.received)}")
        return super().answer(received)


def test_the_token_file_is_read_again_if_its_token_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    with Renewing(file, Reply(401, ""), Reply(404, "")) as receiver:
        refuse(StoreAddress(receiver.url, token_file=str(file)))
    assert [got.headers["authorization"] for got in receiver.received] == [f"Bearer {TOKEN}", "Bearer ppl_0"]


def test_a_refused_token_is_not_sent_again(receiver: HttpReceiver) -> None:
    receiver.replies = [Reply(401, "")]
    refuse(StoreAddress(receiver.url, token=TOKEN))
    assert len(receiver.received) == 1


def test_a_certificate_is_verified_with_the_authorities_that_the_user_names(certificate: Path) -> None:
    with HttpReceiver(certificate=certificate) as receiver:
        error = refuse(StoreAddress(receiver.url, token=TOKEN))
        assert type(error) is ConfigurationError
        assert "its certificate is not valid" in error.message
        assert "ca_file" in error.advice
        assert receiver.received == []
        assert type(refuse(StoreAddress(receiver.url, ca_file=str(certificate)))) is StoreRefused


def test_a_server_without_tls_is_told_apart(receiver: HttpReceiver) -> None:
    error = refuse(receiver.url.replace("http:", "https:"))
    assert type(error) is ConfigurationError
    assert error.cause == "the server does not speak TLS"


def test_a_server_that_is_away_is_unavailable() -> None:
    assert refuse("http://127.0.0.1:1").message == "cannot reach store http://127.0.0.1:1: connection refused"
    assert "does not resolve" in refuse("http://host.invalid:1").message


@pytest.mark.parametrize(
    "url",
    [
        f"https://{TOKEN}@host",
        f"https://user:{TOKEN}@host:1",
        f"http://host/?token={TOKEN}",
        f"https://host#{TOKEN}",
        "https://",
        "https://host:port",
        "http://a b",
    ],
)
def test_a_url_with_a_token_or_without_a_host_is_refused_and_not_repeated(url: str) -> None:
    error = refuse(url)
    assert type(error) is ConfigurationError
    assert TOKEN not in error.message


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for address, cause in (
        (StoreAddress("http://127.0.0.1:1", token_file=str(tmp_path / "none")), "No such file or directory"),
        (StoreAddress("http://127.0.0.1:1", token_file=str(empty)), "it is empty"),
        (StoreAddress("http://127.0.0.1:1", token=f"{TOKEN}\r\nX: y"), "it has characters that a token cannot have"),
        (StoreAddress("https://127.0.0.1:1", ca_file=str(tmp_path / "none")), "No such file or directory"),
        (StoreAddress("https://127.0.0.1:1", ca_file=str(empty)), "it has no certificate"),
    ):
        error = refuse(address)
        assert type(error) is ConfigurationError
        assert cause in error.message
