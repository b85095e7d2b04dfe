"""The JSON Schema of the file, with which an editor completes keys and marks mistakes. Made from the declarations."""

from functools import partial
from typing import Any, Final

import msgspec

from puppylog.config import tables
from puppylog.config.contact_tables import FILE, TITLE, VARIABLE, ContactTable, list_contact_tables
from puppylog.config.kinds import describe_schema
from puppylog.config.table import Table
from puppylog.settings import KEYS

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"  # what editors' TOML support reads


def make_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file."""
    properties: dict[str, Any] = {}
    for name, key in KEYS.items():
        properties[name] = {"type": "string" if key.type is str else "boolean", "description": key.description}
        if key.choices:
            properties[name]["enum"] = list(key.choices)
        if key.default:
            properties[name]["default"] = False if key.type is bool else key.default
    properties["include"] = {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "description": tables.INCLUDE_DESCRIPTION,
    }
    listed = {kind.title: {"type": "array", "items": _describe_table(kind)} for kind in tables.LISTED}
    properties |= {title: schema for title, schema in listed.items() if "." not in title}
    properties[TITLE] = {
        "type": "array",
        "items": {"oneOf": list(map(_describe_contact, list_contact_tables().values()))},
    }
    single = {kind.title: _describe_table(kind) for kind in tables.SINGLE}
    properties |= {title: schema for title, schema in single.items() if "." not in title}
    for title, schema in (listed | single).items():
        outer, separator, inner = title.partition(".")
        if separator:
            properties[outer]["properties"][inner] = schema
    return {
        "$schema": _DIALECT,
        "title": "Puppylog's configuration file",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _describe_table(kind: type[Table]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([kind], schema_hook=describe_schema)
    schema: dict[str, Any] = components[kind.__name__]
    for field in msgspec.structs.fields(kind):
        key = _without_null(schema["properties"][field.encode_name])
        if "$ref" in key:  # the values of an enumeration
            key = {**components[key.pop("$ref").rpartition("/")[2]], **key}
            key.pop("title")
        schema["properties"][field.encode_name] = key
        if (text := default_text(field)) is not None:
            key["default"] = text
        elif isinstance(key.get("default"), tuple):
            key["default"] = list(key["default"])  # as JSON has it
    choices = [{"required": [key]} for key in kind.needs_one_of]
    return {**schema, "title": kind.title, **({"anyOf": choices} if choices else {})}


def _describe_contact(declared: ContactTable) -> dict[str, Any]:
    schema = _describe_table(declared.table)
    choices = []
    for field, is_needed in declared.secrets.items():
        keys = [f"{field}{FILE}", f"{field}{VARIABLE}", *([field] if field in declared.fields else [])]
        one = [{"required": [key]} for key in keys]
        choices.append({"oneOf": one if is_needed else [*one, {"not": {"anyOf": one}}]})
    return {**schema, "title": declared.contact.type, **({"allOf": choices} if choices else {})}


def default_text(field: msgspec.structs.FieldInfo) -> str | None:
    """Return a default that is declared as the text of the file; None if the default is none, or of another type."""
    factory = field.default_factory
    return str(factory.args[0]) if isinstance(factory, partial) else None


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a key that may be left out. TOML has no null, so such a key is not null."""
    if "anyOf" not in schema:
        return schema
    (inner,) = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**kept, **inner}
