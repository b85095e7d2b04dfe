"""Writes the fields of OTLP as members of JSON objects: the same ones for requests in protobuf and in JSON."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from json.encoder import encode_basestring
from math import isfinite
from typing import Final, TypeAlias

Members: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # keys, and the value of each in JSON

NONE: Final[Members] = ((), ())

SOURCE_KEY: Final = "service.name"
"""The attribute of a resource that names the source of its records."""

_MESSAGE_KEY: Final = "message"
_MESSAGE_KEYS: Final = (_MESSAGE_KEY, "msg", "log")
"""The keys of a map that hold its message, the best first. Fluent Bit sends a line as a map with ``log``."""

_OBSERVED_LATER_NS: Final = 1_000_000_000
_NANOSECONDS: Final = range(10**17, 10**19)  # the format ``json`` takes smaller numbers for microseconds

quote: Final = encode_basestring
"""Return a text as a JSON string. `json` writes it in C; `puppylog.formats.quoting` takes four times as long."""


def write_number(number: float) -> str:
    """Return a number as JSON. JSON has no infinity, so infinity is a text."""
    return repr(number) if isfinite(number) else f'"{number}"'


def write_bytes(value: bytes) -> str:
    """Return bytes as a JSON string in base64."""
    return f'"{b64encode(value).decode()}"'


def write_instants(time_ns: int, observed_ns: int) -> Members:
    """Return the members that say when a record was made; none if both times are 0.

    SDKs set both times, microseconds apart. So the time of observation is left out if it is less than a second away
    from the time of the record.
    """
    if not time_ns:
        return (("observedTimeUnixNano",), (write_instant(observed_ns),)) if observed_ns else ((), ())
    if not observed_ns or abs(observed_ns - time_ns) < _OBSERVED_LATER_NS:
        return ("timeUnixNano",), (write_instant(time_ns),)
    return ("timeUnixNano", "observedTimeUnixNano"), (write_instant(time_ns), write_instant(observed_ns))


def write_instant(time_ns: int) -> str:
    """Return nanoseconds since the epoch (64 bits, unsigned) as JSON that the format ``json`` reads as this time."""
    if time_ns in _NANOSECONDS:
        return str(time_ns)
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    return f'"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09}Z"'


def write_dropped(prefix: str, count: int) -> Members:
    """Return the member that says how many attributes the sender dropped; none if it dropped none."""
    return ((f"otel.{prefix}dropped_attributes_count",), (str(count),)) if count else ((), ())


def write_text(key: str, text: str) -> Members:
    """Return a member with this text; none if the text is empty."""
    return ((key,), (quote(text),)) if text else NONE


def write_message(value: str) -> Members:
    """Return the member for a body; lists and other values are the text of their JSON."""
    return (_MESSAGE_KEY,), (value if value.startswith('"') or value == "null" else quote(value),)


def write_map_body(members: Sequence[tuple[str, str]]) -> Members:
    """Return the members for a body that is a map.

    If the map has a text ``message``, ``msg`` or ``log``, this is the message, and the rest of the map is the attribute
    ``body``. Otherwise the message is the JSON of the map.
    """
    places = {key: at for at, (key, value) in enumerate(members) if key in _MESSAGE_KEYS and value.startswith('"')}
    place = next((places[key] for key in _MESSAGE_KEYS if key in places), None)
    if place is None:
        return write_message(write_map(members))
    rest = [*members[:place], *members[place + 1 :]]
    message = members[place][1]
    return ((_MESSAGE_KEY, "body"), (message, write_map(rest))) if rest else ((_MESSAGE_KEY,), (message,))


def write_list(values: Sequence[str]) -> str:
    """Return values in JSON as a list."""
    return f"[{', '.join(values)}]"


def write_map(members: Sequence[tuple[str, str]]) -> str:
    """Return members, whose values are in JSON, as an object."""
    return "{" + ", ".join([f"{quote(key)}: {value}" for key, value in members]) + "}"


def join_members(*parts: Members) -> Members:
    """Return members one after the other."""
    return tuple(chain.from_iterable(part[0] for part in parts)), tuple(chain.from_iterable(part[1] for part in parts))
