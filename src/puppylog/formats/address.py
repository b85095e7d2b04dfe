"""Takes the port off an address. ``native/address.h`` does the same in C."""

import re
from typing import Final

_PORT: Final = re.compile(r":([0-9]{1,5})\Z")


def split_address(address: str) -> tuple[str, str]:
    """Return the host and the port of ``host:port``; the whole address and an empty port if it does not end with one.

    The square brackets of an IPv6 address are left out.
    """
    port = _PORT.search(address, 1)
    host = address[: port.start()] if port else address
    if len(host) > 2 and host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return host, port[1] if port else ""


def split_sure_address(address: str) -> tuple[str, str]:
    """Do the same for an address that may have a port or not: an IPv6 address without brackets has none."""
    if address.count(":") > 1 and not address.startswith("["):
        return address, ""
    return split_address(address)


def find_first_host(addresses: str) -> str:
    """Return the first of addresses that are separated by commas, without its port."""
    return split_sure_address(addresses.partition(",")[0].rstrip(" "))[0]
