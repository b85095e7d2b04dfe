"""The protocol on the socket between a client and the engine: actions, answers and errors as JSON.

An action has a name and a JSON object of its arguments; its answer is a JSON value. A batch of lines is not sent over
the socket: the client writes it into the spool and sends the paths of the files.
"""

import dataclasses
import json
from typing import Any

import pyarrow as pa
from pyarrow import flight

from puppylog.errors import BY_NAME, PuppylogError, StoreError, StoreUnavailable

PROTOCOL = 9
"""The version of the protocol. It rises with every change that an older client or engine would misunderstand."""

MAX_BODY_BYTES = 256 << 20
"""The largest message. The longest messages list the positions of all files of a collector, about 500 bytes each."""


def encode(value: object) -> bytes:
    """Return ``value``, made of JSON's types and frozen dataclasses, as JSON."""
    return json.dumps(value, default=_plain, separators=(",", ":")).encode()


def decode(body: "bytes | pa.Buffer") -> Any:  # noqa: ANN401 - JSON is any value; the functions below give it its shape
    """Return the JSON value of a request or an answer.

    Raises:
        StoreError: ``body`` is not JSON, or is larger than MAX_BODY_BYTES.
    """
    size = len(body)
    if size > MAX_BODY_BYTES:
        raise StoreError("read", f"a message of {size:,} bytes", f"{MAX_BODY_BYTES:,} are the most")
    try:
        return json.loads(bytes(body))
    except (ValueError, RecursionError):  # ValueError: not JSON, or not UTF-8
        raise StoreError("read", f"a message of {size:,} bytes", "it is no JSON") from None


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"cannot send a {type(value).__name__}")


def pack_error(error: PuppylogError) -> bytes:
    """Return the error's class and parts as JSON, for `unpack_error`.

    A class that only the engine knows is replaced by its nearest base class in `puppylog.errors`.
    """
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in BY_NAME)
    return encode({"error": name, "parts": error.parts})


def unpack_error(packed: bytes | str) -> PuppylogError | None:
    """Return the error that `pack_error` packed; None if ``packed`` is something else."""
    try:
        error = json.loads(packed)
        return BY_NAME[error["error"]](*error["parts"])
    except (ValueError, KeyError, TypeError):
        return None


def encode_error(error: PuppylogError) -> flight.FlightServerError:
    """Return the Flight error that the engine raises. The client's `decode_error` turns it into ``error`` again."""
    text = error.message.encode("ascii", "backslashreplace").decode()
    return flight.FlightServerError(text, extra_info=pack_error(error))


def decode_error(error: pa.ArrowException | OSError) -> PuppylogError:
    """Return the error that the engine raised, or StoreUnavailable if the engine ended during the call."""
    raised = unpack_error(getattr(error, "extra_info", b""))
    if raised is not None:
        return raised
    if isinstance(error, flight.FlightUnavailableError | flight.FlightCancelledError | flight.FlightInternalError):
        return StoreUnavailable("reach", "the store's engine", "it went away")
    text = str(error).split(". Detail:")[0]  # gRPC appends the place in its own code
    return StoreError("use", "the store's engine", " ".join(text.split()))
