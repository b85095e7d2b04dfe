import pytest

from puppylog.serve.hosts import HostNames

HOSTS = HostNames(["logs.example.org", "*.Shop.example", "Web1"])


@pytest.mark.parametrize(
    "host",
    [
        b"localhost",
        b"LOCALHOST:7380",
        b"127.0.0.1:7380",
        b"[::1]:7380",
        b"[::1]",
        b"10.1.2.3",
        b"logs.example.org:443",
        b"logs.example.org.",
        b"a.shop.example",
        b"a.b.SHOP.example",
        b"web1",
    ],
)
def test_a_request_to_a_name_of_the_server_is_right(host: bytes) -> None:
    assert HOSTS.find_fault([host]) is None


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"logs.example.org.evil.example",
        b"evil-logs.example.org",
        b"shop.example",
        b"localhost.evil.example:7380",
        b"",
        b":7380",
        b"[::1",
        b"[evil.example]",
        b"127.0.0.1.evil.example",
        b"1.2.3",
        b"evil.example@localhost",
        b"*",
        b"\xff",
    ],
)
def test_a_request_to_another_name_is_refused(host: bytes) -> None:
    refusal = HOSTS.find_fault([host])
    assert refusal is not None
    assert refusal.status == 421
    assert refusal.cause.endswith("is not a name of this server; if it is one, add it to hosts in the table [listen]")


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    for hosts in ([], [b"localhost", b"localhost"]):
        refusal = HOSTS.find_fault(hosts)
        assert refusal is not None
        assert refusal.status == 400


def test_a_star_is_every_name() -> None:
    assert HostNames(["*"]).find_fault([b"evil.example"]) is None
