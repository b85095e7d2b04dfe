"""How the file writes a definition: each field as a key with a value of TOML."""

from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import Final, TypeAlias

from puppylog.config.definition_set import Definition
from puppylog.model.derived import is_derived
from puppylog.model.metric import Metric
from puppylog.model.period import format_period
from puppylog.model.size import write_size

TomlValue: TypeAlias = "str | bool | int | float | datetime | list[str] | dict[str, str] | None"
"""A value of a key. None: the key is left out of the file."""

# The other fields of a derived metric are those of its inputs.
_DERIVED_KEYS: Final = ("name", "from")
# Every silence of a file is declared, so this field of a silence has no key.
_DECLARED: Final = "is_declared"
# These lengths of time are 0s by default. The defaults of others depend on the metric, so the file must have them.
_ZERO_BY_DEFAULT: Final = frozenset({"for", "keep_firing_for", "repeat"})
# Above this, a float does not have every whole number.
_MAX_WHOLE: Final = 2**53


def write_fields(definition: Definition) -> dict[str, TomlValue]:
    """Return every field of a definition by its key in the file. A group has none."""
    if isinstance(definition, str):
        return {}
    return {
        _key_of(field.name, definition): _value_of(field.name, getattr(definition, field.name))
        for field in fields(definition)
    }


def write_table(definition: Definition) -> dict[str, TomlValue]:
    """Return the keys with which a file declares a definition. Keys that would only repeat a default are left out."""
    written = write_fields(definition)
    if isinstance(definition, Metric) and is_derived(definition):
        return {key: written[key] for key in _DERIVED_KEYS}
    return {key: value for key, value in written.items() if key != _DECLARED and not _is_default(key, value)}


def _is_default(key: str, value: TomlValue) -> bool:
    if key in _ZERO_BY_DEFAULT:
        return value == "0s"
    return value is None or value is False or value in ("", [], {}) or (key, value) == ("property", "*")


def _key_of(field: str, definition: Definition) -> str:
    if field == "property" and isinstance(definition, Metric) and is_derived(definition):
        return "from"
    return "max_size" if field == "max_bytes" else field.removesuffix("_at").removesuffix("_s")


def _value_of(field: str, value: object) -> TomlValue:  # noqa: PLR0911 - a case for each type
    match value:
        case datetime():
            return value.astimezone(UTC)
        case Enum():
            return str(value.value)
        case None | bool() | str():
            return value
        case int() if field.endswith("_s"):
            return format_period(value)
        case int() if field.endswith("_bytes"):
            return write_size(value)
        case float() if value.is_integer() and abs(value) < _MAX_WHOLE:
            return int(value)
        case int() | float():
            return value
        case tuple() if field == "groups":
            return {str(name): format_period(keep_s) for name, keep_s in value}
        case tuple():
            return [str(item) for item in value]
    raise TypeError(f"no notation for {field} of type {type(value).__name__}")
