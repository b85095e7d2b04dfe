"""The tokens of the server's clients, in the engine."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from puppylog.errors import AlreadyExists, NotFound
from puppylog.model.token import Token
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import token_of

_QUERIES = load_queries("puppylog.stores.duckdb", "tokens.sql")


def list_tokens(connection: Connection) -> list[Token]:
    """Return all tokens in the order of their names."""
    return [token_of(row) for row in connection.rows(_QUERIES["list_tokens"])]


def create_token(connection: Connection, new: dict[str, Any]) -> Token:
    """Store a token, in the caller's transaction. ``new`` has the fields of `NewToken`, with an instant in RFC 3339.

    Raises:
        AlreadyExists: a token of this name is accepted now.
    """
    known = connection.rows(_QUERIES["find_token_of_name"], {"name": new["name"], "hash": new["hash"]})
    is_same = bool(known) and known[0]["is_same"]
    if known and not is_same:
        if known[0]["is_accepted"]:
            raise AlreadyExists("create", f"token {new['name']!r}", "the name is taken", "revoke that token first")
        connection.run(_QUERIES["delete_token"], {"id": known[0]["id"]})
    if not is_same:
        connection.run(_QUERIES["insert_token"], new)
    return next(token for token in list_tokens(connection) if token.name == new["name"])


def revoke_token(connection: Connection, name: str) -> bool:
    """Revoke a token, in the caller's transaction; return whether it was not revoked before.

    Raises:
        NotFound: there is no such token.
    """
    if connection.rows(_QUERIES["revoke_token"], {"name": name}):
        return True
    if name not in {token.name for token in list_tokens(connection)}:
        raise NotFound("find", f"token {name!r}", "there is none of that name")
    return False


def find_tokens(connection: Connection, hashes: Sequence[str]) -> dict[str, Token]:
    """Return the tokens with these hashes, by hash."""
    with connection.table("asked", pa.table({"hash": pa.array(hashes, pa.string())})):
        return {row.pop("hash"): token_of(row) for row in connection.rows(_QUERIES["find_tokens"])}


def note_uses(engine: Engine, token_ids: Sequence[int]) -> None:
    """Store that these tokens are used now. Nothing is written if this minute is stored already."""
    used = pa.table({"id": pa.array(token_ids, pa.int32())})

    def write(connection: Connection) -> None:
        with connection.table("used", used):
            connection.run(_QUERIES["note_uses"])

    with engine.read() as connection, connection.table("used", used):
        unnoted = connection.value(_QUERIES["count_unnoted_uses"])
    if unnoted:
        engine.write(write)


def list_actions(engine: Engine) -> dict[str, Callable[..., object]]:
    """Return the actions of the engine that are about tokens, by name."""

    def list_all() -> object:
        with engine.read() as connection:
            return list_tokens(connection)

    def find(hashes: list[str]) -> object:
        with engine.read() as connection:
            return find_tokens(connection, hashes)

    return {
        "create_token": lambda new: engine.write(lambda connection: create_token(connection, new)),
        "revoke_token": lambda name: engine.write(lambda connection: revoke_token(connection, name)),
        "list_tokens": list_all,
        "find_tokens": find,
        "note_token_uses": lambda token_ids: note_uses(engine, token_ids),
    }
