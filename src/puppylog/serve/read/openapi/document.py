"""The OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from puppylog import __version__
from puppylog.serve.read.errors import Error
from puppylog.serve.read.openapi.description import Description

_REFERENCE: Final = "#/components/schemas/{name}"
_FAILURES: Final = {
    "400": "A parameter or the body is wrong.",
    "401": "A token is needed, or the token is not accepted.",
    "403": "The token does not allow this.",
    "404": "There is no such thing.",
    "409": "Another definition, or another client, is in the way.",
    "503": "The store is away, or too many requests wait. The same request may succeed later.",
    "504": "The query took too long, and was ended.",
}


def make_document(descriptions: Sequence[Description]) -> dict[str, Any]:
    """Return the document, of OpenAPI 3.1."""
    kinds: list[type[Struct]] = [Error]
    for description in descriptions:
        kinds += [kind for kind in _list_kinds(description) if kind not in kinds]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    references = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for description in descriptions:
        paths.setdefault(description.path, {})[description.method.lower()] = _describe(description, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Puppylog",
            "version": __version__,
            "description": "What a store of Puppylog has: records, counts, metrics, alerts, streams, rejected lines.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `puppylog tokens create`. On a loopback address, and while the store "
                    "has never had a token, none is needed.",
                }
            },
        },
    }


def _list_kinds(description: Description) -> list[type[Struct]]:
    kinds = [kind for kind in description.contents.values() if kind is not None]
    return [*kinds, *([] if description.body is None else [description.body])]


def _describe(description: Description, references: Mapping[type[Struct], Mapping[str, Any]]) -> dict[str, Any]:
    contents = {
        media_type: {} if kind is None else {"schema": references[kind]}
        for media_type, kind in description.contents.items()
    }
    failure = {"application/json": {"schema": references[Error]}}
    described: dict[str, Any] = {
        "operationId": description.name,
        "summary": description.summary,
        "description": f"{description.details} Needs a token with the scope `{description.scope}`.".strip(),
        "parameters": [one for kind in description.parameters for one in _iter_parameters(kind, description)],
        "responses": {
            str(description.status): {"description": description.summary, "content": contents},
            **{status: {"description": text, "content": failure} for status, text in _FAILURES.items()},
        },
    }
    if description.body is not None:
        content = {"application/json": {"schema": references[description.body]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _iter_parameters(kind: type[Struct], description: Description) -> list[dict[str, Any]]:
    """Return the parameters of a class as the document has them."""
    [_], components = msgspec.json.schema_components([kind])
    schema = components[kind.__name__]
    found = []
    for name, written in schema["properties"].items():
        place = "path" if f"{{{name}}}" in description.path else "query"
        text, value = _split_schema(written)
        if name == "format":
            value = {"type": "string", "enum": list(description.formats)}
        parameter = {
            "name": name,
            "in": place,
            "description": text,
            "required": place == "path" or name in schema.get("required", ()),
            "schema": value,
        }
        found.append(parameter)
    return found


def _split_schema(written: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the description of a parameter and the schema of its value. A parameter is left out, and never null."""
    value = dict(written)
    if "anyOf" in value:
        kinds = [kind for kind in value["anyOf"] if kind.get("type") != "null"]
        if len(kinds) == 1:
            value = dict(kinds[0])
        else:
            value["anyOf"] = kinds
    if value.get("default", 0) is None:
        del value["default"]
    return str(value.pop("description", "")), value
