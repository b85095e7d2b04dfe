"""Writes the answers of OTLP, in protobuf or in JSON."""

import json
from enum import Enum
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse

from puppylog.receive.received import Received, shorten_problems


class Encoding(Enum):
    """How a request is encoded, and its answer. The value is the content type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


_ALIASES: Final = {"application/protobuf": Encoding.PROTOBUF} | {encoding.value: encoding for encoding in Encoding}

_CODES: Final = {
    400: 3,  # INVALID_ARGUMENT
    401: 16,  # UNAUTHENTICATED
    403: 7,  # PERMISSION_DENIED
    404: 12,  # UNIMPLEMENTED: a signal that is not taken
    413: 8,  # RESOURCE_EXHAUSTED
    415: 3,  # INVALID_ARGUMENT
    503: 14,  # UNAVAILABLE
}
"""The codes of google.rpc that the statuses of HTTP mean."""
_INTERNAL: Final = 13


def find_encoding(content_type: str) -> Encoding | None:
    """Return the encoding that a header Content-Type names; None if it names another one."""
    return _ALIASES.get(content_type.partition(";")[0].strip().lower())


def describe_losses(received: Received) -> str:
    """Return as JSON what is not stored as a record: how many records, and why. It is the same for a retry."""
    rejected = received.rejects + sum(problem.count for problem in received.problems)
    message = shorten_problems(received.problems)
    if rejected and not message:
        message = f"{received.rejects} log records are kept as rejected lines, because they cannot be read"
    return json.dumps({"rejected": rejected, "message": message})


def write_response(encoding: Encoding, losses: str) -> bytes:
    """Return an ``ExportLogsServiceResponse``. A request without losses has an empty one, as OTLP demands.

    Args:
        encoding: of the request.
        losses: what `describe_losses` returned.
    """
    found = json.loads(losses)
    rejected, message = int(found["rejected"]), str(found["message"])
    has_losses = bool(rejected or message)
    if encoding is Encoding.JSON:
        partial = {"rejectedLogRecords": str(rejected), "errorMessage": message}  # 64-bit numbers are texts
        return json.dumps({"partialSuccess": partial} if has_losses else {}).encode()
    response = ExportLogsServiceResponse()
    if has_losses:
        response.partial_success.rejected_log_records = rejected
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def write_status(encoding: Encoding, status: int, message: str) -> bytes:
    """Return a ``google.rpc.Status``.

    Args:
        encoding: of the request.
        status: of HTTP.
        message: why the request is refused.
    """
    code = _CODES.get(status, _INTERNAL)
    if encoding is Encoding.JSON:
        return json.dumps({"code": code, "message": message}).encode()
    # The package with google.rpc.Status is not needed for this one message. Its fields are a number and a text with the
    # numbers 1 and 2, and so are those of ExportLogsPartialSuccess: both are the same bytes.
    same = ExportLogsPartialSuccess(rejected_log_records=code, error_message=message)
    return bytes(same.SerializeToString())
