"""The expression of an attribute, as text. A query needs it without sqlglot, which a command loads only to parse."""


def attribute_text(key: str) -> str:
    """Return the expression of an attribute. The dots in ``key`` are a part of it, or separate the keys of objects."""
    flat = f"attributes ->> {_quote(key)}"
    if "." not in key:
        return flat
    *outer, last = key.split(".")
    nested = " -> ".join(["attributes", *map(_quote, outer)])
    return f"COALESCE({flat}, {nested} ->> {_quote(last)})"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
