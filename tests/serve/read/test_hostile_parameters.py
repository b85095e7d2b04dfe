"""Whatever a parameter has, the server answers as its document says, and never with a defect."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote

import pytest

from puppylog.serve.read.routes import describe
from support.examples import IS_SOAK
from support.postgres import PostgresServer
from support.read_interface import find_validator
from support.served import Served

VALUES = (
    *("", "\0", "\ud800", "'\"\\%{since}$since;--", "{", "*", "/a(", "a" * 5000, "-1", "1e400", "nan"),
    *("99999999999999999999", "٣", "0001-01-01", "9999-12-31T23:59:59.999999+14:00", "🐶 שלום"),
    *("newest~abc~1~1", "newest~2026-99-01 00:00:00Z~1~1", "newest~2026-01-01 00:00:00Z~99999999999~1"),
)


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("shared_postgres")
            template: str = request.getfixturevalue("postgres_template")
            url = server.url(stack.enter_context(server.database(template=template)))
        served = stack.enter_context(Served(tmp_path_factory.mktemp("hostile"), url=url))
        line = b'{"message": "hello", "severity": "info", "n": 1}\n'
        assert served.send("POST", "/api/v1/lines?source=a&format=json&group=web", line).status == 200
        yield served


@pytest.fixture
def third(served: Served) -> int:
    """Which third of the values `make test` sends for the first parameter. The other store gets another third."""
    return int(served.settings.store.url.startswith("postgresql"))


def iter_parameters() -> Iterator[tuple[str, str]]:
    """Yield paths and names of parameters. A parameter that several paths have in the same way is yielded once."""
    seen: set[str] = set()
    for path, methods in describe()["paths"].items():
        operation = methods.get("get")
        if operation is None or "{" in path or "text/event-stream" in operation["responses"]["200"]["content"]:
            continue
        for parameter in operation["parameters"]:
            described = json.dumps(parameter)
            if described not in seen:
                yield path, parameter["name"]
            seen.add(described)


@pytest.mark.sampled
def test_no_value_of_a_parameter_is_a_defect(served: Served, third: int) -> None:
    for number, (path, name) in enumerate(iter_parameters()):
        for value in VALUES if IS_SOAK else VALUES[(number + third) % 3 :: 3]:
            answer = served.send("GET", f"{path}?{name}={quote(value, errors='surrogatepass')}")
            assert answer.status in {200, 400, 404}, (path, name, value, answer.text)
            if answer.headers["content-type"] == "application/json":
                find_validator("GET", path, answer.status).validate(json.loads(answer.body))
    assert served.reported == []
