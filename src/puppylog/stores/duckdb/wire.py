"""The protocol on the socket between a client and the engine: actions, answers and errors.

An action has a name and a JSON object of its arguments. Its answer is a JSON value; `stores.messages` writes both. A
large batch of lines is not sent over the socket: the client writes it into the spool and sends the paths of the files.
"""

import pyarrow as pa
from pyarrow import flight

from puppylog.errors import PuppylogError, StoreError, StoreUnavailable
from puppylog.stores.messages import pack_error, unpack_error

PROTOCOL = 13
"""The version of the protocol. It rises with every change that an older client or engine would misunderstand."""


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
