"""What goes over the socket between a client and the engine: actions with JSON bodies, errors, frozen values.

An action is a method name and a JSON object of its arguments; its answer is a JSON value. A batch of lines does not go
over the socket: the client leaves it in the spool and sends its name.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import flight

from puppylog.errors import BY_NAME, PuppylogError, StoreError, StoreUnavailable
from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.identifier import parse_identifier
from puppylog.model.metric import Metric
from puppylog.model.stream import FilePosition, Fingerprint, KnownFile, Move, Stream
from puppylog.stores.base import NewFile

PROTOCOL = 7
"""Raised with every change that an older client or engine would misread; the two must agree on it."""

MAX_BODY_BYTES = 256 << 20
"""Of a message. The largest are positions of all files that a collector follows, some 500 bytes each."""


def encode(value: object) -> bytes:
    """Return JSON of plain values and frozen dataclasses."""
    return json.dumps(value, default=_plain, separators=(",", ":")).encode()


def decode(body: "bytes | pa.Buffer") -> Any:  # noqa: ANN401 - JSON is any value; the functions below give it its shape
    """Return the JSON value of a request or an answer.

    Raises:
        StoreError: it is none, or larger than any that a client or the engine sends.
    """
    size = len(body)
    if size > MAX_BODY_BYTES:
        raise StoreError("read", f"a message of {size:,} bytes", f"{MAX_BODY_BYTES:,} are the most")
    try:
        return json.loads(bytes(body))
    except (ValueError, RecursionError):  # ValueError: no JSON, or no UTF-8
        raise StoreError("read", f"a message of {size:,} bytes", "it is no JSON") from None


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"cannot send a {type(value).__name__}")


def pack_error(error: PuppylogError) -> bytes:
    """Return the error's class and parts as JSON, for `unpack_error`. A class of the engine alone becomes its base."""
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in BY_NAME)
    return encode({"error": name, "parts": error.parts})


def unpack_error(packed: bytes | str) -> PuppylogError | None:
    """Return the error that `pack_error` was given; None if these are other bytes."""
    try:
        told = json.loads(packed)
        return BY_NAME[told["error"]](*told["parts"])
    except (ValueError, KeyError, TypeError):
        return None


def encode_error(error: PuppylogError) -> flight.FlightServerError:
    """Return what the server raises so that `decode_error` gives ``error`` again on the other side."""
    text = error.message.encode("ascii", "backslashreplace").decode()
    return flight.FlightServerError(text, extra_info=pack_error(error))


def decode_error(error: pa.ArrowException | OSError) -> PuppylogError:
    """Return the error that the engine raised, or StoreUnavailable when it was the engine that went away."""
    told = unpack_error(getattr(error, "extra_info", b""))
    if told is not None:
        return told
    if isinstance(error, flight.FlightUnavailableError | flight.FlightCancelledError | flight.FlightInternalError):
        return StoreUnavailable("reach", "the store's engine", "it went away")
    text = str(error).split(". Detail:")[0]  # gRPC adds where in its own code it has noticed
    return StoreError("use", "the store's engine", " ".join(text.split()))


def to_fingerprint(plain: Mapping[str, Any]) -> Fingerprint:
    return Fingerprint(**plain)


def to_position(plain: Mapping[str, Any]) -> FilePosition:
    return FilePosition(**{**plain, "fingerprint": to_fingerprint(plain["fingerprint"])})


def to_known_file(plain: Mapping[str, Any]) -> KnownFile:
    return KnownFile(**{**plain, "position": to_position(plain["position"])})


def to_stream(plain: Mapping[str, Any]) -> Stream:
    return Stream(**{**plain, "files": tuple(to_position(file) for file in plain["files"])})


def to_new_files(plain: Sequence[Mapping[str, Any]]) -> list[NewFile]:
    return [NewFile(**new) for new in plain]


def to_moves(plain: Sequence[Mapping[str, Any]]) -> list[Move]:
    return [Move(**{**move, "fingerprint": to_fingerprint(move["fingerprint"])}) for move in plain]


def to_metric(plain: Mapping[str, Any]) -> Metric:
    metric = Metric(**plain)
    parse_identifier(metric.name, "metric")
    return metric


def to_alert(plain: Mapping[str, Any]) -> Alert:
    parts = {"comparison": Comparison(plain["comparison"]), "no_data": NoData(plain["no_data"])}
    alert = Alert(**{**plain, **parts})
    parse_identifier(alert.name, "alert")
    return alert
