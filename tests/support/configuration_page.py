"""The tables of docs/configuration.md, and the JSON Schema: both are made from the declarations of the file.

``PYTHONPATH=tests python -m support.configuration_page`` writes them anew.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import inspect

from puppylog.cli.config import write_value
from puppylog.config import tables
from puppylog.config.contact_tables import list_contact_tables
from puppylog.config.kinds import ContactName, Duration, Identifier, Size, SocketAddress, ZoneName
from puppylog.config.schema import default_text, make_schema
from puppylog.config.table import Table
from puppylog.settings import KEYS, Key

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"
SCHEMA = ROOT / "deploy" / "puppylog.schema.json"
_MARKED = re.compile(r"(<!-- keys of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_KINDS: dict[type, str] = {
    Duration: "length of time",
    Size: "size",
    Identifier: "name",
    ContactName: "name",
    ZoneName: "time zone",
    SocketAddress: "address",
}
_TYPES: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.VarTupleType: "list of strings",
    inspect.DictType: "table",
    inspect.DateTimeType: "time with an offset",
}


def write_page() -> None:
    """Write the tables of the page and the JSON Schema anew."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(write_schema(), encoding="utf-8")


def write_schema() -> str:
    return json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"


def with_tables(page: str) -> str:
    """Return the text of the page with the tables that the declarations give."""
    made = make_tables()
    return _MARKED.sub(lambda marked: f"{marked[1]}{made[marked[2]]}{marked[3]}", page)


def list_marked(page: str) -> set[str]:
    return {name for _, name, _ in _MARKED.findall(page)}


def make_tables() -> dict[str, str]:
    """Return a table of keys by the name of the table in the file; of the settings as "settings"."""
    kinds = {kind.title.replace(".", "_"): kind for kind in (*tables.LISTED, *tables.SINGLE)}
    contacts = {f"contact_{name}": declared.table for name, declared in list_contact_tables().items()}
    made = {name: _draw(_iter_keys(kind, name)) for name, kind in {**kinds, **contacts}.items()}
    settings = [(f"`{name}`", _type_of(key), f"`{key.default}`", key.description) for name, key in KEYS.items()]
    settings.append(("`include`", "list of strings", "`[]`", tables.INCLUDE_DESCRIPTION))
    return {"settings": _draw(settings), **made}


def _type_of(key: Key) -> str:
    if key.choices:
        return " ".join(f"`{choice}`" for choice in key.choices)
    return "string" if key.type is str else "true or false"


def _iter_keys(kind: type[Table], name: str) -> Iterator[tuple[str, str, str, str]]:
    for field in msgspec.structs.fields(kind):
        if name.startswith("contact_") and field.encode_name in {"name", "type"}:
            continue  # every contact has these
        info = inspect.type_info(field.type)
        assert isinstance(info, inspect.Metadata)
        assert info.extra_json_schema is not None
        default = "needed" if field.required else ""
        if (text := default_text(field)) is not None:
            default = f'`"{text}"`'
        elif field.default not in {msgspec.NODEFAULT, None, ""}:
            default = f"`{write_value(field.default)}`"
        yield f"`{field.encode_name}`", describe(info), default, info.extra_json_schema["description"]


def describe(info: inspect.Type) -> str:
    """Return the type of a key in few words."""
    match info:
        case inspect.Metadata(type=inner):
            return describe(inner)
        case inspect.UnionType(types=types):
            return describe(next(inner for inner in types if not isinstance(inner, inspect.NoneType)))
        case inspect.CustomType(cls=kind):
            return _KINDS[kind]
        case inspect.LiteralType(values=values):
            return " ".join(f"`{value}`" for value in values)
        case inspect.EnumType(cls=choices):
            return " ".join(f"`{choice.value}`" for choice in choices)
    return _TYPES.get(type(info), "string")


def _draw(rows: Iterable[tuple[str, str, str, str]]) -> str:
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(_cell(text) for text in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return "" if text == "``" else text.replace("|", "\\|")


if __name__ == "__main__":
    write_page()
