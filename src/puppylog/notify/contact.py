"""What a contact is: a frozen dataclass whose fields are the keys of a ``[[contact]]`` table, and a way to send.

A field that holds a secret is declared with `secret_field`. The file of a user never has its value: for a field
``url``, the file has ``url_file`` or ``url_env``, and the configuration reads the value from there.
"""

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from puppylog.notify.message import Message

_MUST_BE_READ: Final = "puppylog.must_be_read"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The surroundings of one attempt to send a message."""

    deadline: float  # the value of `time.monotonic` at which the attempt must be over
    now: datetime = field(default_factory=functools.partial(datetime.now, UTC))
    proxies: Mapping[str, str] = field(default_factory=dict)  # as `urllib.request.getproxies` returns them
    environ: Mapping[str, str] = field(default_factory=dict)  # the environment of a command


class Contact(Protocol):
    """A receiver of messages. Implementations are frozen and may be used by several threads at once."""

    type: ClassVar[str]
    """The name of the type in the file, such as ``slack``."""

    resend_s: ClassVar[int | None]
    """If set, a message about a firing alert must be sent again after this many seconds, as long as the alert fires.
    The receiver would otherwise take the alert for resolved."""

    takes_acknowledgements: ClassVar[bool]
    """Whether the receiver is told that a person knows of a problem, because it has a state for this."""

    max_segments: ClassVar[int | None]
    """How many segments a message may have; None is any number. The caller sends the rest in further messages."""

    @property
    def name(self) -> str:
        """The name by which an alert names the contact."""

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message, and return what the receiver answered, in one line that is safe to show.

        Must be over soon after the deadline. Must raise no other error than `DeliveryFailed` for a fault of the
        network, of the receiver or of the contact's values, and no part of a secret may be in the error. It is OK to
        send the same message again after any error.

        Raises:
            DeliveryFailed: the receiver did not accept the message, or its answer is unknown.
        """


SecretField: TypeAlias = Any  # what dataclasses.field returns, which type checkers take for the field's value


def secret_field(**options: Any) -> SecretField:  # noqa: ANN401 - passes on the arguments of dataclasses.field
    """Return a field whose value is read from a file or a variable, and that no ``repr`` shows.

    Args:
        options: those of `dataclasses.field`. A field with a default is optional.
    """
    return field(repr=False, metadata={_MUST_BE_READ: True}, **options)


def open_field(**options: Any) -> SecretField:  # noqa: ANN401 - as above
    """Return a field that may stand in the file, or be read from a file or a variable because it may hold a secret.

    Args:
        options: those of `dataclasses.field`.
    """
    return field(repr=False, metadata={_MUST_BE_READ: False}, **options)


def secret_fields(contact: type) -> Mapping[str, bool]:
    """Return the fields whose values may be read from a file or a variable, and whether they must be read from there.

    >>> @dataclass
    ... class Paper:
    ...     address: str
    ...     token: str = secret_field()
    ...     url: str = open_field()
    >>> secret_fields(Paper)
    {'token': True, 'url': False}
    """
    return {
        field.name: field.metadata[_MUST_BE_READ]
        for field in dataclasses.fields(contact)
        if _MUST_BE_READ in field.metadata
    }
