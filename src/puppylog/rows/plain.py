"""Plain values, which are those that JSON has, and their text."""

import json
from typing import TypeAlias

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


def text_of(value: Plain, *, null: str = "") -> str:
    """Return ``value`` as text; a list or an object as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return null
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)
