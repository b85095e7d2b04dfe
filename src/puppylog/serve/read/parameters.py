"""Reads the parameters of a request as the typed fields of a resource's class."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, inspect

from puppylog.serve.refusal import Refusal

S = TypeVar("S", bound=Struct)

_NUL: Final = "it has a NUL, which no store can keep"
_SHOWN: Final = 80  # characters of a wrong value that an error repeats


def read_parameters(kind: type[S], given: Sequence[tuple[str, str]]) -> S:
    """Return the parameters of a request.

    Args:
        kind: the class of the parameters.
        given: the names and values of the path and the query. Only a field that is a tuple may be given several times.

    Raises:
        Refusal: 400: a parameter is unknown, given twice, missing or wrong. Its place is the name of the parameter.
    """
    fields = _fields_of(kind)
    values: dict[str, Any] = {}
    for name, written in given:
        if name not in fields:
            raise Refusal(400, f"there is no such parameter; known are {', '.join(fields)}", place=name[:_SHOWN])
        if "\0" in written:
            raise Refusal(400, _NUL, place=name)
        if is_list(fields[name].type):
            values.setdefault(name, []).append(written)
        elif name in values:
            raise Refusal(400, "it is given twice", place=name)
        else:
            values[name] = written
    for name, field in fields.items():
        if field.required and name not in values:
            raise Refusal(400, "it is missing", place=name)
    return kind(**{fields[name].name: read_value(fields[name], value) for name, value in values.items()})


def read_value(field: msgspec.structs.FieldInfo, written: object) -> Any:  # noqa: ANN401 - of the field's type
    """Return the value of a parameter.

    Raises:
        Refusal: 400: it is not of the field's type, or beyond its limits.
    """
    try:
        value = msgspec.convert(written, field.type, strict=False)
    except msgspec.ValidationError:
        value = math.nan
    if isinstance(value, float) and not math.isfinite(value):
        shown = str(written[0] if isinstance(written, list) else written)[:_SHOWN]
        raise Refusal(400, f"{shown!r} is not {describe_type(field.type)}", place=field.encode_name)
    return value


def read_body(kind: type[S], body: bytes) -> S:
    """Return the JSON body of a request.

    Raises:
        Refusal: 400: it is not JSON, or a member is unknown, missing or wrong.
    """
    try:
        decoded = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"cannot read the body: {error}", place="body") from None
    if _has_nul(msgspec.to_builtins(decoded)):
        raise Refusal(400, _NUL, place="body")
    return decoded


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nul, value.values()))
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def is_list(type_: object) -> bool:
    """Return whether a parameter of this type may be given several times."""
    found = inspect.type_info(type_)
    if isinstance(found, inspect.Metadata):
        found = found.type
    return isinstance(found, inspect.ListType | inspect.VarTupleType)


def describe_type(type_: Any) -> str:  # noqa: ANN401 - as a field of msgspec has it
    """Return what values a parameter may have, in words.

    >>> from typing import Annotated
    >>> from msgspec import Meta
    >>> describe_type(Annotated[int, Meta(ge=1, le=100)])
    'a whole number from 1 to 100'
    """
    [schema], _ = msgspec.json.schema_components([type_])
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return " or ".join(map(_describe, kinds))


def _describe(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return _describe(schema.get("items", {}))
    noun = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}.get(schema.get("type", ""))
    if noun is None:
        return "such a text"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{noun} from {least} to {most}"
    limits = (("minimum", "of at least"), ("exclusiveMinimum", "above"), ("maximum", "of at most"))
    return " ".join([noun, *(f"{words} {schema[key]:g}" for key, words in limits if key in schema)])


@cache
def _fields_of(kind: type[Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """Return the fields by the names that requests have."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}
