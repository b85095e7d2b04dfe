"""The table of names is normalized and means the same on both paths."""

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from formats.agreement import read
from formats.paths import PATHS
from puppylog.formats import names
from puppylog.formats.names import FIELDS, find_name, normalize

PATHS_OF_FIELDS = [(field, written.partition(":")[0]) for field in FIELDS for written in names._NAMES[field].split()]
FITTING = {
    "ts": "2024-04-01T12:00:00Z",
    "nanoseconds": 5000,
    "severity": "error",
    "request": "GET /a HTTP/1.1",
    "request_method": "GET",
    "request_route": "/a",
    "request_proto": "HTTP/1.1",
    "status_code": 200,
    "response_bytes": 5,
}


IN_CONTEXT: dict[str, dict[str, Any]] = {
    "request": {"method": "GET"},
    "sender": {"short_message": "x"},
    "mongodb": {"t": {"$date": "2024-04-01T12:00:00Z"}},
    "nanoseconds": {"time": 1711972800},
    "apple": {"machTimestamp": 812},
}

NO_COLUMNS = {"ts_source", "machTimestamp", "tags"}
"""Attributes that a line has although it has no other members."""


def context_of(*paths: str) -> dict[str, Any]:
    """Return other members that a line needs so that these names mean their fields."""
    found: dict[str, Any] = {}
    for path in paths:
        name = find_name(path)
        assert name is not None
        for key in (name.rule, name.notation, name.field if name.field == "nanoseconds" else ""):
            found |= IN_CONTEXT.get(key, {})
    return found


def value_of(field: str, name: str) -> Any:
    """Return a value that fits a name of the field."""
    return ["error"] if name.endswith("tags") else FITTING.get(field, "word")


def list_left(record: dict[str, Any]) -> list[str]:
    """Return the members that fill no column."""
    attributes = json.loads(record["attributes"] or "{}")
    attributes |= attributes.pop("@fields", {})
    return [key for key in attributes if key not in NO_COLUMNS]


def nest(path: str, value: Any) -> Any:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize("key", ["User-Agent", "user_agent", "userAgent", "USERAGENT", "_useragent"])
def test_case_dashes_and_underscores_do_not_matter(key: str) -> None:
    assert normalize(key) == "useragent"


def test_letters_beyond_ascii_are_unchanged() -> None:
    assert normalize("STATU\u017f") == "STATU\u017f"  # a long s, which str.casefold makes an s


def test_each_name_is_unique_and_normalized() -> None:
    assert {path: count for path, count in Counter(path for _, path in PATHS_OF_FIELDS).items() if count > 1} == {}
    for field, path in PATHS_OF_FIELDS:
        assert normalize(path) == path
        name = find_name(path)
        assert name is not None
        assert name.field == field


def test_the_table_fits_into_the_native_readers() -> None:
    assert len(names.TABLE.splitlines()) < 512  # half of NAME_SLOTS in names.h
    assert max(len(path) for _, path in PATHS_OF_FIELDS) < 63  # MAX_PATH_LENGTH there, and a dot


@pytest.mark.parametrize("path", PATHS)
def test_each_name_is_known_as_a_key_and_as_a_path_on_both_paths(path: str) -> None:
    for field, name in PATHS_OF_FIELDS:
        value = value_of(field, name)
        for document in ({name: value} | context_of(name), nest(name, value) | context_of(name)):
            (record,) = read("json", json.dumps(document).encode() + b"\n", path).records
            assert list_left(record) == [], document
            column = {"request": "request_method", "nanoseconds": "ts"}.get(field, field)
            assert record[column] is not None, document


@pytest.mark.parametrize("path", PATHS)
def test_the_better_of_two_names_wins_in_either_order(path: str) -> None:
    for field in FIELDS:
        known = [path for of, path in PATHS_OF_FIELDS if of == field]
        for better, worse in pairwise(known):
            others = {better, worse}.isdisjoint(context_of(better, worse)) and context_of(better, worse)
            values = {worse: value_of(field, worse), better: value_of(field, better)} | (others or {})
            members = [f'"{name}": {json.dumps(value)}' for name, value in values.items()]
            (record,) = read("json", f"{{{', '.join(members)}}}\n".encode(), path).records
            left = [key for key in json.loads(record["attributes"]) if key not in {"ts_source", "machTimestamp"}]
            assert left == [worse]
