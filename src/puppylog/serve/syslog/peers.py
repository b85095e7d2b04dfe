"""The names of peers: their IP addresses."""


def name_peer(address: str) -> str:
    """Return the address of a peer. An IPv4 address that arrived on a socket of IPv6 is written as IPv4."""
    mapped = address.removeprefix("::ffff:")
    return mapped if "." in mapped else address
