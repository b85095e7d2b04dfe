"""Limits how many wrong tokens a client may try. Others, and tokens that were right before, are not affected."""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

BURST: Final = 10
"""How many different wrong tokens may come from one address at once."""

REFILL_S: Final = 6.0
"""The seconds after which one more may come."""

_MOST: Final = 10_000  # addresses that are remembered
_IPV6_BITS: Final = 64  # a client of IPv6 has a whole network of addresses


class FailedAttempts:
    """Counts wrong tokens per address. Used in the server's loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_at: dict[str, float] = {}  # by client: when it may again try BURST wrong tokens at once

    def find_wait_s(self, address: str) -> float:
        """Return after how many seconds another wrong token may come from the address; 0 if now."""
        free_at = self._free_at.get(name_client(address), 0.0)
        return max(0.0, free_at - self._clock() - (BURST - 1) * REFILL_S)

    def add(self, address: str) -> None:
        """Count a wrong token."""
        client, now = name_client(address), self._clock()
        free_at = max(now, self._free_at.pop(client, now)) + REFILL_S
        self._free_at[client] = free_at
        if len(self._free_at) > _MOST:  # the clients whose last wrong token was longest ago come first
            del self._free_at[next(iter(self._free_at))]


def name_client(address: str) -> str:
    """Return what stands for all addresses of one client.

    >>> name_client("192.0.2.1"), name_client("2001:db8::1:2"), name_client("::ffff:192.0.2.1")
    ('192.0.2.1', '2001:db8::/64', '192.0.2.1')
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, _IPV6_BITS), strict=False))
