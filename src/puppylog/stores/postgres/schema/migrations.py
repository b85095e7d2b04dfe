"""The schema: migrations that run once, in the order of their numbers; routines that are made anew every time.

Migration ``N`` is ``sql/schema/N_….sql``, and after it the file of the same number in the folder of the flavour, where
there is one. All of an installation is one transaction.
"""

import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from puppylog.errors import StoreRefused
from puppylog.stores.postgres.schema.flavour import Flavour, Server
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")

_FOLDERS: Final = {
    Flavour.PLAIN: ("plain",),
    Flavour.TIMESCALEDB: ("timescale",),
    Flavour.TIMESCALEDB_DISTRIBUTED: ("timescale_distributed", "timescale"),
    Flavour.CITUS: ("citus",),
}
"""Where a flavour's layout is; the first folder that has a file of a number."""

# Where there are options, there is ``force`` as well.
_REFRESH_OPTIONS: Final = """, force => again, options => '{"buckets_per_batch": 0}'"""
_POLICY_OPTIONS: Final = ", buckets_per_batch => 0"

_ROUTINES: Final = {
    Flavour.PLAIN: ("routines", "partitions", "plain"),
    Flavour.TIMESCALEDB: ("routines", "timescale"),
    Flavour.TIMESCALEDB_DISTRIBUTED: ("routines", "timescale", "timescale_distributed"),
    Flavour.CITUS: ("routines", "partitions", "citus"),
}
"""Folders whose files without a number are run at every bootstrap, in the order of their names."""


def _folder(name: str) -> Traversable:
    return resources.files("puppylog.stores.postgres").joinpath("sql", name)


def _files(name: str) -> list[Traversable]:
    folder = _folder(name)
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")] if folder.is_dir() else []
    return sorted(files, key=lambda file: file.name)


_BODY: Final = re.compile(r"(\$\$.*?\$\$)", re.DOTALL)
_COMMENT: Final = re.compile(r"--[^\n]*")

SCHEMA_VERSION = len(_files("schema"))


def iter_migrations(flavour: Flavour, after: int) -> Iterator[tuple[int, str]]:
    """Give the numbers and the SQL of the migrations that come after version ``after``."""
    for version, common in enumerate(_files("schema"), start=1):
        number = common.name.partition("_")[0]
        layouts = [file for name in _FOLDERS[flavour] for file in _files(name) if file.name.startswith(f"{number}_")]
        texts = [file.read_text(encoding="utf-8") for file in (common, *layouts[:1])]
        if version > after:
            yield version, "\n".join(texts)


def iter_routines(flavour: Flavour) -> Iterator[str]:
    """Give the SQL of all routines, and of what else is made anew every time."""
    for name in _ROUTINES[flavour]:
        for file in _files(name):
            if not file.name[0].isdigit():
                yield file.read_text(encoding="utf-8")


def fill(sql: str, flavour: Flavour, server: Server) -> str:
    """Return ``sql`` for this flavour and server: how log_records is cut, and what TimescaleDB's functions take."""
    is_partitioned = flavour in (Flavour.PLAIN, Flavour.CITUS)
    words = {
        "{partitioned}": " PARTITION BY RANGE (ts)" if is_partitioned else "",
        "{extension}": server.timescaledb_schema,
        "{refresh_options}": _REFRESH_OPTIONS if server.refreshes_in_batches else "",
        "{policy_options}": _POLICY_OPTIONS if server.has_batched_policies else "",
    }
    for word, text in words.items():
        sql = sql.replace(word, text)
    return sql


def split_statements(sql: str) -> list[str]:
    """Return the statements of a script, each of which ends a line. TimescaleDB takes some only one by one."""
    statements, so_far = [], ""
    for part in _BODY.split(sql):
        if part.startswith("$$"):
            so_far += part
            continue
        first, *others = part.split(";\n")
        so_far += first
        for other in others:
            statements.append(so_far)
            so_far = other
    statements.append(so_far)
    return [statement.strip() for statement in statements if _COMMENT.sub("", statement).strip()]


def migrate(session: Session, flavour: Flavour, found: int, server: Server, *, routines: bool) -> None:
    """Bring the database from version ``found`` to SCHEMA_VERSION, within the caller's transaction."""
    if flavour is Flavour.CITUS and 0 < found < SCHEMA_VERSION:
        # Citus changes the shards of a table one after another then; after doing it in parallel it makes no function.
        session.run("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
    for version, sql in iter_migrations(flavour, found):
        for statement in split_statements(fill(sql, flavour, server)):
            session.run(statement)
        if version == 1:
            session.run(_QUERIES["insert_installation"], {"flavour": flavour.value})
        session.run(_QUERIES["note_version"], {"version": version})
    if not routines:
        return
    session.run("SET LOCAL check_function_bodies = off")  # they call each other, in whatever order they are made
    for sql in iter_routines(flavour):
        session.run(fill(sql, flavour, server))


def check_version(found: int, thing: str) -> None:
    """Raise StoreRefused if the store is not of our version; it says which way to go."""
    if found > SCHEMA_VERSION:
        raise StoreRefused(
            "use",
            thing,
            f"its schema is version {found}, this Puppylog knows {SCHEMA_VERSION}",
            advice="use a newer Puppylog",
        )
    if found < SCHEMA_VERSION:
        raise StoreRefused(
            "use",
            thing,
            f"its schema is version {found}, this Puppylog needs {SCHEMA_VERSION}",
            advice="run 'puppylog bootstrap'",
        )
