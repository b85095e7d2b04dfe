"""Who sends a request that comes through proxies: X-Forwarded-For and X-Forwarded-Proto of proxies that are listed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import Scope

from puppylog.config.listen import Network


def find_client(scope: Scope, proxies: Sequence[Network]) -> None:
    """Replace ``client`` and ``scheme`` of a request that a listed proxy has passed on.

    The client is the last address of X-Forwarded-For that is not a listed proxy: what is left of it may be forged.
    """
    client = scope.get("client")
    if not proxies or not client or not _is_listed(client[0], proxies):
        return
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    passed = [
        address.strip()
        for name, value in headers
        if name == b"x-forwarded-for"
        for address in value.decode("latin-1").split(",")
    ]
    for address in reversed(passed):
        if _parse(address) is None:
            break
        scope["client"] = (address, 0)
        if not _is_listed(address, proxies):
            break
    schemes = [value for name, value in headers if name == b"x-forwarded-proto"]
    if len(schemes) == 1 and schemes[0].lower() in {b"http", b"https"}:
        scope["scheme"] = schemes[0].lower().decode()


def _is_listed(address: str, proxies: Sequence[Network]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in proxies)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address  # a socket for both versions has IPv4 clients as ::ffff:10.0.0.1
