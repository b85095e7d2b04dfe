"""The login of Grafana: a member of puppylog_reader, and of no other role."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.macros import Look
from puppylog.stores.postgres.schema import roles


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a query: the type and the values of each column, as Grafana receives them."""

    types: dict[str, str]
    rows: list[dict[str, Any]]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Reader:
    """A session of the login, in a store that was filled at a known instant."""

    flavour: str
    connection: "psycopg.Connection[tuple[Any, ...]]"
    filled_at: datetime

    def run(self, query: str, look: Look) -> Answer:
        """Run a query as Grafana does: its macros expanded, and nothing bound."""
        cursor = self.connection.execute(look.expand(query).encode())
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        assert len(names) == len(set(names)), f"a column is there twice: {names}"
        kinds = [psycopg.adapters.types.get(column.type_code) for column in cursor.description]
        types = {name: kind.name if kind else "?" for name, kind in zip(names, kinds, strict=True)}
        return Answer(types, [dict(zip(names, row, strict=True)) for row in cursor])


def create_login(url: str, name: str) -> str:
    """Create the login as docs/grafana.md says, as the superuser of ``url``. Return the login's conninfo."""
    password = secrets.token_hex(16)
    create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Literal(password), sql.Identifier(roles.READER)))
        connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(name)))
    return make_conninfo(url, user=name, password=password)


def find_missing_roles(url: str) -> list[str]:
    """Return the roles of Puppylog that the server does not have yet."""
    with psycopg.connect(url) as connection:
        known = _list_roles(connection)
    return [name for name in (roles.READER, roles.WRITER) if name not in known]


def drop_roles(url: str, names: Sequence[str]) -> None:
    """Revoke the rights of the roles in this database, and drop the roles, which belong to the whole server."""
    with psycopg.connect(url, autocommit=True) as connection:
        known = _list_roles(connection)
        for name in map(sql.Identifier, (name for name in names if name in known)):
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            # Another test may have bootstrapped another database of this server, which then needs the role.
            with suppress(psycopg.errors.DependentObjectsStillExist):
                connection.execute(sql.SQL("DROP ROLE {}").format(name))


def _list_roles(connection: "psycopg.Connection[tuple[Any, ...]]") -> set[str]:
    return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
