"""The kinds of values that TOML does not have, written as strings: sizes, lengths of time, names, zones, addresses."""

from typing import Any, Final, Self

from puppylog.errors import PuppylogError, UsageError
from puppylog.model.address import Address
from puppylog.model.identifier import MAX_LENGTH, find_contact_fault, parse_identifier
from puppylog.model.period import parse_period
from puppylog.model.size import parse_size
from puppylog.settings import find_zone


class Duration(int):
    """A length of time in whole seconds."""

    form = 'a length of time such as "10s", "5m", "2h" or "30d"'
    schema: Final = {"type": "string", "pattern": r"^\s*[0-9]{1,12}\s*[smhdw]?\s*$", "examples": ["10s", "5m", "30d"]}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the length of time that ``text`` is.

        Raises:
            UsageError: the text is not a length of time.
        """
        return cls(parse_period(text, "the length of time", min_s=0))


class Size(int):
    """A size in bytes. 1 kB is 1,000 bytes, and 1 KiB is 1,024 bytes."""

    form = 'a size such as "200MB" or "10GB"'
    schema: Final = {
        "type": "string",
        "pattern": r"^\s*[0-9]{1,18}(\.[0-9]{1,6})?\s*([kKmMgGtT][iI]?)?[bB]?\s*$",
        "examples": ["200MB", "10GB", "2GiB"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the size that ``text`` is.

        Raises:
            UsageError: the text is not a size.
        """
        return cls(parse_size(text))


class Identifier(str):
    """The name of a metric, an alert or a group."""

    __slots__ = ()
    form = "a name: lower-case letters, digits and '_'"
    schema: Final = {"type": "string", "pattern": "^[a-z_][a-z0-9_]*$", "maxLength": MAX_LENGTH}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the name that ``text`` is.

        Raises:
            UsageError: the text is not a name.
        """
        try:
            return cls(parse_identifier(text, ""))
        except UsageError as error:
            raise UsageError("use", f"the name {text!r}", error.cause) from None


class ContactName(str):
    """The name of a contact."""

    __slots__ = ()
    form = "the name of a contact: letters, digits, '_', '-' and '.'"
    schema: Final = {"type": "string", "pattern": "^[A-Za-z0-9_.-]+$", "maxLength": MAX_LENGTH}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the name that ``text`` is.

        Raises:
            UsageError: the text is not the name of a contact.
        """
        if fault := find_contact_fault(text):
            raise UsageError("use", f"the name {text!r}", fault)
        return cls(text)


class ZoneName(str):
    """The name of a time zone."""

    __slots__ = ()
    form = "the name of a time zone: UTC, local, or Area/City"
    schema: Final = {"type": "string", "examples": ["UTC", "local", "Europe/Berlin"]}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the name of the time zone.

        Raises:
            ConfigurationError: there is no such time zone.
        """
        find_zone(text)
        return cls(text)


class SocketAddress(str):
    """An address to listen on: a host and a port."""

    __slots__ = ()
    form = 'an address such as "127.0.0.1:7380"'
    schema: Final = {"type": "string", "pattern": ":[0-9]{1,5}$", "examples": ["127.0.0.1:7380", "[::]:7380"]}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that ``text`` is.

        Raises:
            UsageError: the text is not an address.
        """
        return cls(str(Address.parse(text)))


KINDS: Final = (Duration, Size, Identifier, ContactName, ZoneName, SocketAddress)


def decode(kind: type, written: object) -> Any:  # noqa: ANN401 - msgspec's signature
    """Return the value of one of KINDS. Called by msgspec for types that it does not know.

    Raises:
        TypeError: the value in the file is not a string.
        ValueError: the string is not of the kind; the message says why.
    """
    if kind not in KINDS:
        raise NotImplementedError(kind)
    if not isinstance(written, str):
        raise TypeError
    try:
        return kind.parse(written)
    except PuppylogError as error:
        raise ValueError(error.message) from None


def describe_schema(kind: type) -> dict[str, object]:
    """Return the JSON Schema of one of KINDS. Called by msgspec for types that it does not know."""
    if kind not in KINDS:
        raise NotImplementedError(kind)
    return dict(kind.schema)
