"""A record of the evidence of a transition as one line of text, as a log would have it."""

import json
from collections.abc import Mapping
from typing import Any, Final

_REQUEST: Final = ("request_method", "request_route", "request_proto")
_NUMBERS: Final = ("status_code", "response_bytes")


def write_sample(record: Mapping[str, Any]) -> str:
    """Return the record as one line: its severity, its message or request, and its attributes.

    Args:
        record: the columns of a record that are not null, without its instant and its location.

    >>> write_sample({"host": "10.0.0.7", "request_method": "GET", "request_route": "/cart", "status_code": 502})
    '10.0.0.7 "GET /cart" 502'
    >>> write_sample({"severity": "error", "message": "no stock", "attributes": '{"sku": "b7"}'})
    'error no stock sku=b7'
    """
    words = [str(record[name]) for name in ("severity", "host") if name in record]
    request = " ".join(str(record[name]) for name in _REQUEST if name in record)
    if request:
        words += [f'"{request}"', *(str(record[name]) for name in _NUMBERS if name in record)]
    if "message" in record:
        words.append(str(record["message"]))
    words += [f"{name}={_plain(value)}" for name, value in _read_attributes(record.get("attributes")).items()]
    return " ".join(words)


def _read_attributes(attributes: object) -> Mapping[str, Any]:
    if isinstance(attributes, str):
        try:
            attributes = json.loads(attributes)
        except ValueError:
            return {"attributes": attributes}
    return attributes if isinstance(attributes, Mapping) else {}


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
