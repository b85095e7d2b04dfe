"""Asks the read interface of a server in the process of the tests."""

import json
from typing import Any
from urllib.parse import urlencode

from support.served import Served


def get(served: Served, path: str, /, *, status: int = 200, **parameters: object) -> dict[str, Any]:
    """Return the JSON of ``/api/v1/`` and ``path``. A parameter that is a list is given several times."""
    answer = served.send("GET", f"/api/v1/{path}?{urlencode(parameters, doseq=True)}")
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    return dict(json.loads(answer.body))
