"""Asks the read interface of a server in the process of the tests.

Every answer is checked against the OpenAPI document, more strictly than clients would: an answer must have no member
that the document does not name.
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jsonschema  # type: ignore[import-untyped]  # it has no types, and one of its names is used

from puppylog.serve.read.routes import describe
from support.served import Served


def get(served: Served, path: str, /, *, status: int = 200, **parameters: object) -> dict[str, Any]:
    """Return the JSON of ``/api/v1/`` and ``path``. A parameter that is a list is given several times."""
    return ask(served, "GET", f"{path}?{urlencode(parameters, doseq=True)}", status=status)


def ask(
    served: Served, method: str, path: str, body: object = None, /, *, status: int = 200, **headers: str
) -> dict[str, Any]:
    """Return the JSON of the answer to a request, which may have a body of JSON. The ``_`` of a header is a hyphen."""
    sent = b"" if body is None else json.dumps(body).encode()
    named = {"content-type": "application/json"} if sent else {}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer = served.send(method, f"/api/v1/{path}", sent, named)
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = json.loads(answer.body)
    find_validator(method, f"/api/v1/{path}".partition("?")[0], status).validate(found)
    return dict(found)


@cache
def find_validator(method: str, path: str, status: int) -> Any:
    """Return what checks the JSON of an answer."""
    document = describe()
    [template] = [known for known in document["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), path)][:1]
    response = document["paths"][template][method.lower()]["responses"][str(status)]
    schema = response["content"]["application/json"]["schema"]
    return jsonschema.Draft202012Validator({**schema, "components": _close(document["components"])})


def _close(schema: Any) -> Any:
    """Return a schema in which no object may have other members than those that are named."""
    if isinstance(schema, list):
        return [_close(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _close(value) for key, value in schema.items()}
    is_object = schema.get("type") == "object" and "properties" in schema
    return {**closed, "additionalProperties": False} if is_object else closed
