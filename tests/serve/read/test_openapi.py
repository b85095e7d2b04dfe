"""``/api/v1/openapi.json`` describes every resource, and every answer is as it describes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types, and two of its names are used
import pytest

from puppylog.model.token import NewToken, Scope, hash_token, make_token
from puppylog.serve.read.routes import ALL, describe
from support.read_interface import find_validator, get
from support.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("openapi")) as served:
        line = b'{"message": "hello", "severity": "info", "n": 1}\n'
        assert served.send("POST", "/api/v1/lines?source=a&format=json&group=web", line).status == 200
        yield served


def test_the_document_is_valid_and_is_served_without_a_token(served: Served) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415 - only here: it and its schemas load slowly

    document = json.loads(served.send("GET", "/api/v1/openapi.json").body)
    assert document == json.loads(json.dumps(describe()))
    OpenAPIV31SpecValidator(document).validate()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in describe()["paths"].items()
        for method, operation in methods.items()
    ]


def test_everything_in_the_document_is_described() -> None:
    for path, _, operation in operations():
        assert operation["summary"], path
        for parameter in operation["parameters"]:
            assert parameter["description"], (path, parameter["name"])
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


@pytest.mark.sampled
@pytest.mark.parametrize(
    "path",
    [
        path.removeprefix("/api/v1/")
        for path, method, operation in operations()
        if method == "get"
        and not any(parameter["required"] for parameter in operation["parameters"])
        and "application/json" in operation["responses"]["200"]["content"]
    ],
)
def test_a_resource_answers_as_the_document_says_and_in_every_format(served: Served, path: str) -> None:
    get(served, path)
    [resource] = [one for one in ALL if one.path == f"/api/v1/{path}" and one.method == "GET"]
    for format_ in ("jsonl", "csv", "arrow"):
        answer = served.send("GET", f"/api/v1/{path}?format={format_}")
        assert answer.status == (200 if resource.rows else 400)


def test_an_unknown_path_or_method_is_an_error_of_json(served: Served) -> None:
    for method, path, status, message in (
        ("GET", "no/such/thing", 404, "there is no /api/v1/no/such/thing"),
        ("DELETE", "records", 405, "/api/v1/records is for GET"),
        ("POST", "records/one", 405, "/api/v1/records/one is for GET"),
    ):
        answer = served.send(method, f"/api/v1/{path}")
        assert (answer.status, json.loads(answer.body)["error"]["message"]) == (status, message)


def test_a_request_without_a_token_is_an_error_of_json(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        with served.own.connect() as store:
            store.create_token(NewToken("page", Scope.READ, hash_token(make_token()), None))
        answer = served.send("GET", "/api/v1/records")
        find_validator("GET", "/api/v1/records", 401).validate(json.loads(answer.body))
        assert (answer.status, answer.headers["content-type"]) == (401, "application/json")
        assert served.send("GET", "/api/v1/openapi.json").status == 200


def test_the_check_of_answers_refuses_what_the_document_does_not_name() -> None:
    validator = find_validator("GET", "/api/v1/records", 200)
    good: dict[str, Any] = {"records": [], "has_more": False, "cursor": None, "took_s": 0.1}
    validator.validate(good)
    wrong: list[dict[str, Any]] = [{**good, "more": 1}, {"records": []}, {**good, "records": [{"ts": 5}]}]
    for bad in wrong:
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(bad)
