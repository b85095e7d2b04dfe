"""Errors that are sent from the engine to its client keep their class and their parts."""

import pytest

from puppylog.errors import BY_NAME, FormatError, PuppylogError, SearchError, StoreUnavailable
from puppylog.stores import messages
from puppylog.stores.duckdb import wire
from puppylog.stores.duckdb.engine.failures import OutOfMemory

PARTS = ("open", "store /ä/\udcff", "permission denied", "ask its owner")


# Errors about what a user wrote, with a place in it. They are raised in the client and never sent.
CLIENT_ERRORS = (FormatError, SearchError)


@pytest.mark.parametrize("kind", [kind for kind in BY_NAME.values() if kind not in CLIENT_ERRORS])
def test_an_error_of_the_engine_is_the_same_at_the_client(kind: type[PuppylogError]) -> None:
    told = wire.decode_error(wire.encode_error(kind(*PARTS)))
    assert (type(told), told.parts) == (kind, PARTS)


def test_an_error_class_that_only_the_engine_knows_becomes_its_base_class() -> None:
    told = wire.decode_error(wire.encode_error(OutOfMemory(*PARTS)))
    assert (type(told), told.parts) == (StoreUnavailable, PARTS)


@pytest.mark.parametrize(
    "packed", [b"", b"no JSON", b"[]", b'{"error": "Unknown", "parts": []}', b'{"error": "NotFound"}']
)
def test_other_bytes_are_not_unpacked_as_an_error(packed: bytes) -> None:
    assert messages.unpack_error(packed) is None
