"""The address of a socket, as text: a host, which is an IP address or a name, and a port."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

from puppylog.errors import UsageError

_ADVICE = "write HOST:PORT, such as 127.0.0.1:7380 or [::1]:7380"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port.

    >>> Address.parse("[::1]:7380")
    Address(host='::1', port=7380)
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address in ``text``.

        Raises:
            UsageError: the text is not an address.
        """
        host, separator, port = text.rpartition(":")
        if not separator or not port.isascii() or not port.isdigit():
            raise UsageError("use", f"the address {text!r}", "it does not end with a port", _ADVICE)
        if len(port) > 5 or int(port) > 65535:
            raise UsageError("use", f"the address {text!r}", "its port is larger than 65535", _ADVICE)
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
            is_right = is_ip(host) and ":" in host
        else:
            is_right = is_ip(host) or (bool(host) and all(_is_label(label) for label in host.rstrip(".").split(".")))
        if not is_right:
            raise UsageError("use", f"the address {text!r}", "its host is neither an IP address nor a name", _ADVICE)
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine reach the address."""
        if is_ip(self.host):
            return ip_address(self.host).is_loopback
        return self.host.rstrip(".").lower() == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_ip(host: str) -> bool:
    """Return whether a host is an IP address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_label(label: str) -> bool:
    return 0 < len(label) < 64 and label.isascii() and label.replace("-", "a").replace("_", "a").isalnum()
