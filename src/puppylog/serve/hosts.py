"""The names by which requests may address the server: a guard against pages that rebind a name to its address."""

from collections.abc import Iterable, Sequence
from typing import Final

from puppylog.model.address import is_ip
from puppylog.serve.refusal import Refusal

ANY: Final = "*"


class HostNames:
    """The names that a request may have in its header ``Host``.

    A page of another site can let its own name lead to the address of this server. The browser then takes the server
    for a part of that site. Its requests have the name of the site, so the server refuses names that it does not know.
    An IP address cannot be rebound, so it is always accepted.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Allow these names and localhost; ``*.example.org`` is every name below example.org, ``*`` is every name."""
        listed = {name.lower().rstrip(".") for name in names}
        self._is_any = ANY in listed
        self._names = {"localhost", *(name for name in listed if not name.startswith("*."))}
        self._endings = tuple(name[1:] for name in listed if name.startswith("*."))

    def find_fault(self, values: Sequence[bytes]) -> Refusal | None:
        """Return why a request with these ``Host`` headers is refused; None if it is not."""
        if len(values) != 1:
            return Refusal(400, "a request must have exactly one Host header")
        name = _cut_port(values[0].decode("latin-1")).lower().rstrip(".")
        if self._is_any or name in self._names or name.endswith(self._endings) or is_ip(name):
            return None
        return Refusal(
            421, f"{name[:200]!r} is not a name of this server; if it is one, add it to hosts in the table [listen]"
        )


def _cut_port(host: str) -> str:
    if host.startswith("[") and "]" in host:
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
