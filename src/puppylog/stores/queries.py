"""Named, described queries, read from ``.sql`` files once.

A query begins with ``-- name: it_is_called_so`` and goes on to the next one; the comment lines under its name say what
it answers. Values are written ``$name`` and bound by the driver. ``{word}`` stands for an identifier or a rendered tree
that our own code has made: never for a value, never for a user's text.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"\$([a-z_]+)")


def parse_queries(text: str) -> dict[str, str]:
    """Return the queries in ``text`` by name, without the lines that name them.

    Raises:
        ValueError: two have the same name.
    """
    parts = _NAME.split(text)[1:]
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in queries:
            raise ValueError(f"two queries are named {name}")
        queries[name] = body.strip().removesuffix(";")
    return queries


@cache
def load_queries(package: str, file: str) -> Mapping[str, str]:
    """Return the queries of ``file`` in the folder ``sql`` of ``package``."""
    return parse_queries(resources.files(package).joinpath("sql", file).read_text(encoding="utf-8"))


def parameters_of(sql: str) -> frozenset[str]:
    """Return the names of the values that ``sql`` wants bound."""
    return frozenset(_PARAMETER.findall(sql))
