import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.errors import ListenFailed
from puppylog.model.address import Address
from puppylog.serve.listener import open_sockets
from puppylog.serve.server import Server
from support.served import LOOPBACK, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


def test_the_root_says_what_answers(served: Served) -> None:
    answer = served.send("GET", "/")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    assert served.send("HEAD", "/").status == 200


def test_a_server_is_ready_if_its_store_answers(served: Served) -> None:
    answer = served.send("GET", "/ready")
    assert (answer.status, answer.text) == (200, "ready\n")


def test_an_unknown_path_is_not_found(served: Served) -> None:
    assert served.send("GET", "/../etc/passwd").status == 404
    assert served.send("POST", "/", b"a").status == 405


def test_an_address_in_use_is_an_error_that_a_restart_may_cure(served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = LOOPBACK
        taken = type(listen)(address=type(listen.address)("127.0.0.1", other.getsockname()[1]))
        with pytest.raises(ListenFailed) as raised:
            Server(taken, served.settings, report=served.reported.append)
    assert raised.value.message.startswith("cannot listen on 127.0.0.1:")
    assert raised.value.cause == "another process listens there"
    assert raised.value.exit_code == 69


def test_while_the_store_is_away_requests_are_refused_for_now(tmp_path: Path) -> None:
    with Served(tmp_path, url="postgresql://nobody@127.0.0.1:1/none?connect_timeout=2") as away:
        assert away.send("GET", "/").status == 200
        for _ in range(2):
            answer = away.send("GET", "/ready")
            assert answer.status == 503
            assert answer.headers["retry-after"] == "5"
            assert answer.text.startswith("cannot connect to")
        posted = away.send("POST", "/api/v1/lines?source=a", b"a line\n")
        assert (posted.status, posted.headers["retry-after"]) == (503, "5")
        assert away.reported == []


def test_a_name_may_have_addresses_that_the_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))
    own = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [lacking, own])
    [listening] = open_sockets(Address("logs.example.org", 0))
    assert listening.getsockname()[0] == "127.0.0.1"
    listening.close()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [lacking])
    with pytest.raises(ListenFailed) as raised:
        open_sockets(Address("logs.example.org", 7380))
    assert raised.value.message == "cannot listen on logs.example.org:7380: this machine does not have the address"


def test_all_addresses_of_a_name_have_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.1", "127.0.0.2")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)
    opened = open_sockets(Address("localhost", 0))
    names = [listening.getsockname() for listening in opened]
    assert [address for address, _ in names] == ["127.0.0.1", "127.0.0.2"]
    assert names[0][1] == names[1][1]
    for listening in opened:
        listening.close()
