"""Messages between a client and the process that answers for a store, as JSON: values of the model, and errors.

The engine of an embedded store and the server of a remote store use the same JSON. `values` makes the values again.
"""

import dataclasses
import json
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from puppylog.errors import BY_NAME, PuppylogError, StoreError

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BODY_BYTES = 256 << 20
"""The largest message. The longest messages list the positions of all files of a collector, about 500 bytes each."""


def encode(value: object) -> bytes:
    """Return ``value`` as JSON. It is made of JSON's types, frozen dataclasses, enumerations and instants."""
    return json.dumps(value, default=_plain, separators=(",", ":")).encode()


def decode(body: "bytes | memoryview | pa.Buffer") -> Any:  # noqa: ANN401 - JSON is any value; `values` gives it its shape
    """Return the JSON value of a request or an answer.

    Raises:
        StoreError: ``body`` is not JSON, or is larger than MAX_BODY_BYTES.
    """
    size = len(body)
    if size > MAX_BODY_BYTES:
        raise StoreError("read", f"a message of {size:,} bytes", f"at most {MAX_BODY_BYTES:,} are allowed")
    try:
        return json.loads(bytes(body))
    except (ValueError, RecursionError):  # ValueError: not JSON, or not UTF-8
        raise StoreError("read", f"a message of {size:,} bytes", "it is not JSON") from None


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
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
