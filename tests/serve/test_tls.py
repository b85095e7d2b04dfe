import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from puppylog.errors import ConfigurationError
from puppylog.serve.limits import Limits
from puppylog.serve.tls import Certificate
from support.certificate import write_certificate
from support.embedded import wait_until
from support.served import LOOPBACK, Served


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(certificate, folder / "used.pem")
    listen = replace(LOOPBACK, certificate=folder / "used.pem")
    with Served(folder, listen=listen, limits=Limits(head_s=0.5)) as served:
        yield served


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


def test_requests_are_encrypted(served: Served, certificate: Path) -> None:
    assert served.url.startswith("https://127.0.0.1:")
    assert served.send("GET", "/ready", tls=trusting(certificate)).text == "ready\n"


def test_a_client_of_an_old_version_of_tls_is_refused(served: Served, certificate: Path) -> None:
    old = trusting(certificate)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        served.send("GET", "/ready", tls=old)


def test_a_client_without_tls_is_refused_and_others_are_served(served: Served, certificate: Path) -> None:
    with served.connect() as connected:
        connected.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"Puppylog" not in connected.recv(1000)
    assert served.send("GET", "/ready", tls=trusting(certificate)).status == 200
    assert served.reported == []


def test_a_handshake_that_does_not_end_is_given_up(served: Served) -> None:
    with served.connect() as connected:
        assert connected.recv(1000) == b""


def test_the_certificate_is_read_again(served: Served, certificate: Path, tmp_path: Path) -> None:
    other = write_certificate(tmp_path)
    used = served.server.context.listen.certificate
    assert used is not None
    try:
        shutil.copy(other, used)
        served.server.read_certificate_again()
        assert served.send("GET", "/ready", tls=trusting(other)).status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            served.send("GET", "/ready", tls=trusting(certificate))
        used.write_text("no certificate")
        with pytest.raises(ConfigurationError) as raised:
            served.server.read_certificate_again()
        assert raised.value.message.startswith(f"cannot use the certificate {used}: ")
        assert served.send("GET", "/ready", tls=trusting(other)).status == 200
    finally:
        shutil.copy(certificate, used)
        served.server.read_certificate_again()


def test_a_client_that_names_no_host_gets_the_present_certificate(served: Served, certificate: Path) -> None:
    context = trusting(certificate)
    context.check_hostname = False
    with served.connect() as connected, context.wrap_socket(connected) as encrypted:
        encrypted.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert encrypted.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_certificate_names_hosts_and_says_when_it_expires(certificate: Path) -> None:
    used = Certificate(certificate, None)
    now = datetime.now(UTC)
    assert used.names == ["localhost"]
    assert "expires at" in (used.describe_expiry(now) or "")  # it is one of two days
    assert (used.describe_expiry(now + timedelta(days=3)) or "").endswith(" UTC: clients refuse it")
    assert "is not valid before" in (used.describe_expiry(now - timedelta(days=1)) or "")
    assert used.describe_expiry(now - timedelta(minutes=-1)) is not None


def test_a_server_with_an_expired_certificate_starts_and_says_so(tmp_path: Path) -> None:
    expired = write_certificate(tmp_path, is_expired=True)
    listen = replace(LOOPBACK, certificate=expired)
    with Served(tmp_path / "served", listen=listen) as served:
        [warning] = served.server.list_warnings()
        assert warning == f"the certificate {expired} has expired at 2020-01-02 00:00 UTC: clients refuse it"
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            served.send("GET", "/ready", tls=trusting(expired))


CAUSES = [
    ("nothing", "", "the file has no certificate in PEM format"),
    ("certificate", "", "the key is not that of the certificate"),
    ("certificate", "nothing", "there is no private key in PEM format in the file, or in that of key"),
    ("certificate", "encrypted", "the key is encrypted; a server cannot ask for its password"),
    ("damaged", "own", "it is damaged"),
]


@pytest.mark.parametrize(("written", "key", "cause"), CAUSES)
def test_a_certificate_that_cannot_be_used_is_an_error(
    certificate: Path, tmp_path: Path, written: str, key: str, cause: str
) -> None:
    right = certificate.read_text()
    texts = {
        "nothing": "nothing",
        "certificate": right,
        "own": right,
        "damaged": right.replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nxxxx"),
        "encrypted": "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
        "": write_certificate(tmp_path).read_text(),
    }
    path, key_path = tmp_path / "used.pem", tmp_path / "used.key"
    path.write_text(texts[written])
    key_path.write_text(texts[key])
    with pytest.raises(ConfigurationError) as raised:
        Certificate(path, key_path)
    assert raised.value.message == f"cannot use the certificate {path}: {cause}"
    assert raised.value.exit_code == 78


def test_a_certificate_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Certificate(tmp_path / "none.pem", None)
    assert raised.value.message == f"cannot read {tmp_path}/none.pem: No such file or directory"


def test_clients_that_begin_no_handshake_do_not_keep_others_out(certificate: Path, tmp_path: Path) -> None:
    listen = replace(LOOPBACK, certificate=certificate)
    with Served(tmp_path, listen=listen, limits=Limits(connections=20)) as served, ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(100)]
        assert served.send("GET", "/", tls=trusting(certificate)).status == 200
        wait_until(lambda: served.server.connections <= 20, what="the end of the others")
        assert clients[0].recv(1) == b""  # the first one has waited longest
