from ipaddress import ip_network
from typing import Any

import pytest

from puppylog.serve.proxies import find_client

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def pass_on(client: str, *headers: tuple[str, str]) -> tuple[str, str]:
    """Return client and scheme of a request that has come from an address."""
    scope: dict[str, Any] = {
        "client": (client, 5000),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    find_client(scope, PROXIES)
    return scope["client"][0], scope["scheme"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),  # the first one may be forged
        ("203.0.113.9, 10.0.0.7,10.0.0.8", "203.0.113.9"),
        ("10.0.0.7, 10.0.0.8", "10.0.0.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("unknown", "10.0.0.1"),
        ("203.0.113.9, <script>", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_listed_proxy(forwarded: str, client: str) -> None:
    assert pass_on("10.0.0.1", ("x-forwarded-for", forwarded))[0] == client


def test_several_headers_are_one_list() -> None:
    assert pass_on("fd00::1", ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.0.0.7"))[0] == "203.0.113.9"


def test_an_ipv4_proxy_is_listed_on_a_socket_for_both_versions_too() -> None:
    assert pass_on("::ffff:10.0.0.1", ("x-forwarded-for", "203.0.113.9"))[0] == "203.0.113.9"


def test_a_client_that_is_no_listed_proxy_is_not_believed() -> None:
    headers = (("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https"))
    assert pass_on("203.0.113.9", *headers) == ("203.0.113.9", "http")


def test_the_scheme_is_that_of_the_proxy() -> None:
    assert pass_on("10.0.0.1", ("x-forwarded-proto", "HTTPS"))[1] == "https"
    assert pass_on("10.0.0.1", ("x-forwarded-proto", "gopher"))[1] == "http"
    assert pass_on("10.0.0.1", ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http"))[1] == "http"
