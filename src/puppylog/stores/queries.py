"""Named, described queries, read from ``.sql`` files once.

A query starts with a line ``-- name: some_name`` and ends before the next such line. The comment lines under its name
describe its answer. ``$name`` is a value that the driver binds. ``{word}`` is replaced by SQL that Puppylog's own code
has made, such as an identifier or a rendered expression: never by a value, and never by a user's text.
"""

import re
from collections.abc import Mapping
from functools import cache
from pkgutil import get_data

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"\$([a-z_]+)")


def parse_queries(text: str) -> dict[str, str]:
    """Return the queries in ``text`` by name, without their ``-- name:`` lines.

    Raises:
        ValueError: two queries have the same name.
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
    content = get_data(package, f"sql/{file}")  # importlib.resources takes 5 ms of CPU to load
    if content is None:
        raise FileNotFoundError(f"sql/{file} of {package}")
    return parse_queries(content.decode())


def parameters_of(sql: str) -> frozenset[str]:
    """Return the names of the ``$name`` parameters in ``sql``."""
    return frozenset(_PARAMETER.findall(sql))
