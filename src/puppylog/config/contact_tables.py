"""The tables ``[[contact]]``: one for each type of contact, made from the fields of the contact's dataclass.

A field that is a secret has two keys, ``<field>_file`` and ``<field>_env``: the file that the secret is read from, or
the variable of the environment. The descriptions are those of the dataclass's docstring.
"""

import dataclasses
import re
import typing
from collections.abc import Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from puppylog.config.kinds import ContactName, Duration
from puppylog.config.table import Table, Text
from puppylog.model.period import format_period
from puppylog.notify.contact import Contact, secret_fields

TITLE: Final = "contact"
FILE: Final = "_file"
VARIABLE: Final = "_env"
_ATTRIBUTES: Final = re.compile(r"Attributes:\n(.*)", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"^ {8}(\w+): (.*?)(?=^ {8}\w|\Z)", re.MULTILINE | re.DOTALL)
_SECONDS: Final = "_s"


@dataclasses.dataclass(frozen=True, slots=True)
class ContactTable:
    """One type of contact, as the file declares it."""

    contact: type[Contact]
    table: type[Table]
    fields: Mapping[str, str]  # by key that is not a secret, the field of the contact
    secrets: Mapping[str, bool]  # by field, whether it must have a value


@cache
def list_contact_tables() -> Mapping[str, ContactTable]:
    """Return the declarations by the name of the type."""
    from puppylog.notify.registry import CONTACT_TYPES  # noqa: PLC0415 - loads what sends, which takes a third of a second

    return MappingProxyType({name: _declare(name, contact) for name, contact in CONTACT_TYPES.items()})


def _declare(name: str, contact: type[Contact]) -> ContactTable:
    descriptions = _read_descriptions(contact)
    hints = typing.get_type_hints(contact)
    secrets = secret_fields(contact)
    keys: list[Any] = [
        ("name", Annotated[ContactName, Meta(description="The name by which an alert names the contact.")]),
        ("type", Annotated[Literal[name], Meta(description="The type of the contact.")]),
    ]
    fields: dict[str, str] = {}
    needed: dict[str, bool] = {}
    for field in dataclasses.fields(typing.cast("Any", contact)):
        if field.name == "name":
            continue
        description = descriptions[field.name]
        is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if field.name in secrets:
            needed[field.name] = is_needed
            keys += _declare_secret(field.name, description)
            if not secrets[field.name]:
                fields[field.name] = field.name
                keys.append((field.name, Annotated[Text | None, Meta(description=description)], None))
            continue
        key, declared = _declare_key(field, hints[field.name], description)
        fields[key] = field.name
        keys.append(declared)
    table = msgspec.defstruct(
        f"{contact.__name__}Table",
        keys,
        bases=(Table,),
        namespace={"title": TITLE, "__doc__": (contact.__doc__ or "").partition("\n")[0]},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return ContactTable(contact, typing.cast("type[Table]", table), fields, needed)


def _declare_secret(field: str, description: str) -> list[Any]:
    in_file = f"A file with the `{field}`. {description}"
    in_variable = f"An environment variable with the `{field}`, instead of `{field}{FILE}`."
    return [
        (f"{field}{FILE}", Annotated[Text | None, Meta(description=in_file)], None),
        (f"{field}{VARIABLE}", Annotated[Text | None, Meta(description=in_variable)], None),
    ]


def _declare_key(field: "dataclasses.Field[Any]", hint: Any, description: str) -> tuple[str, Any]:  # noqa: ANN401 - a type
    """Return the key of a field that is not a secret, and its declaration. A number of seconds is a length of time."""
    if field.name.endswith(_SECONDS):
        key = field.name.removesuffix(_SECONDS)
        default_s = int(typing.cast("float", field.default))
        default = msgspec.field(default_factory=partial(Duration.parse, format_period(default_s)))
        return key, (key, Annotated[Duration, Meta(description=description)], default)
    if field.default is not dataclasses.MISSING:
        return field.name, (field.name, Annotated[hint, Meta(description=description)], field.default)
    if field.default_factory is not dataclasses.MISSING:
        default = msgspec.field(default_factory=field.default_factory)
        return field.name, (field.name, Annotated[dict[str, str], Meta(description=description)], default)
    needed = Text if hint is str else Annotated[hint, Meta(min_length=1)]
    return field.name, (field.name, Annotated[needed, Meta(description=description)])


def _read_descriptions(contact: type[Contact]) -> Mapping[str, str]:
    """Return the descriptions of the fields, from the docstring's section "Attributes"."""
    found = _ATTRIBUTES.search(contact.__doc__ or "")
    entries = _ATTRIBUTE.findall("" if found is None else f"{found[1].rstrip()}\n")
    texts = {name: " ".join(text.split()).replace("``", "`") for name, text in entries}
    return {name: f"{text[:1].upper()}{text[1:]}" for name, text in texts.items()}
