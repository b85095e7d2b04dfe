"""The schema: migrations that run once, in the order of their numbers, and routines that every bootstrap replaces.

Migration ``N`` is ``sql/schema/N_….sql`` and then the file of the same number in the folder of the flavour, if there is
one. An installation or upgrade is one transaction.
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
"""The folders of a flavour's layouts. The first folder that has a file of a number is used."""

# A release of TimescaleDB that has ``options`` has ``force`` as well.
_REFRESH_OPTIONS: Final = """, force => again, options => '{"buckets_per_batch": 0}'"""
_POLICY_OPTIONS: Final = ", buckets_per_batch => 0"

_ROUTINES: Final = {
    Flavour.PLAIN: ("routines", "partitions", "plain"),
    Flavour.TIMESCALEDB: ("routines", "timescale"),
    Flavour.TIMESCALEDB_DISTRIBUTED: ("routines", "timescale", "timescale_distributed"),
    Flavour.CITUS: ("routines", "partitions", "citus"),
}
"""The folders of the routines: every bootstrap runs the files without a number, in the order of their names."""


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
    """Yield the numbers and the SQL of the migrations after version ``after``."""
    for version, common in enumerate(_files("schema"), start=1):
        number = common.name.partition("_")[0]
        layouts = [file for name in _FOLDERS[flavour] for file in _files(name) if file.name.startswith(f"{number}_")]
        texts = [file.read_text(encoding="utf-8") for file in (common, *layouts[:1])]
        if version > after:
            yield version, "\n".join(texts)


def iter_routines(flavour: Flavour) -> Iterator[str]:
    """Yield the SQL of the routines, and of everything else that every bootstrap replaces."""
    for name in _ROUTINES[flavour]:
        for file in _files(name):
            if not file.name[0].isdigit():
                yield file.read_text(encoding="utf-8")


def fill(sql: str, flavour: Flavour, server: Server) -> str:
    """Return ``sql`` with its ``{words}`` replaced for this flavour and server.

    The words stand for the partitioning of log_records, and for the schema and options of TimescaleDB's functions.
    """
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
    """Return the statements of a script; each must end at a line's end. TimescaleDB runs some only one by one."""
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
        # Citus must change the shards of a table sequentially: after parallel changes it cannot create a function in
        # the same transaction.
        session.run("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
    for version, sql in iter_migrations(flavour, found):
        for statement in split_statements(fill(sql, flavour, server)):
            session.run(statement)
        if version == 1:
            session.run(_QUERIES["insert_installation"], {"flavour": flavour.value})
        session.run(_QUERIES["note_version"], {"version": version})
    if not routines:
        return
    session.run("SET LOCAL check_function_bodies = off")  # a routine may call one that is created later
    for sql in iter_routines(flavour):
        session.run(fill(sql, flavour, server))


def check_version(found: int, thing: str) -> None:
    """Raise StoreRefused if the store's version is not this Puppylog's. ``thing`` is the store's name."""
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
