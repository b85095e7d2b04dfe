"""The schema: migrations that run once, in the order of their numbers, and routines that every start creates again.

A table records which migrations ran.
"""

from importlib import resources

from puppylog.errors import StoreRefused
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.queries import load_queries

_ROUTINES = load_queries("puppylog.stores.duckdb", "routines.sql")


def list_migrations() -> list[str]:
    """Return the SQL of the migrations; the first one creates version 1."""
    folder = resources.files("puppylog.stores.duckdb").joinpath("sql", "schema")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in files]


SCHEMA_VERSION = len(list_migrations())
_LEVELS_VERSION = 8  # the first version whose metrics have levels


def migrate(connection: Connection) -> int:
    """Bring the database to SCHEMA_VERSION, in the caller's transaction; return the version that it had.

    Raises:
        StoreRefused: the database has a newer version.
    """
    connection.run("CREATE TABLE IF NOT EXISTS main.puppylog_schema (version INTEGER NOT NULL, applied_at TIMESTAMPTZ)")
    found = int(connection.value("SELECT coalesce(max(version), 0) FROM main.puppylog_schema"))
    if found > SCHEMA_VERSION:
        raise StoreRefused(
            "open",
            "the store",
            f"its schema is version {found}, this Puppylog knows {SCHEMA_VERSION}",
            advice="use the newer",
        )
    for version, sql in enumerate(list_migrations()[found:], start=found + 1):
        connection.run(sql)
        connection.run("INSERT INTO main.puppylog_schema VALUES ($version, now())", {"version": version})
    connection.run(_ROUTINES["severity_number"])
    if 0 < found < _LEVELS_VERSION <= SCHEMA_VERSION:
        # A store of this version starts without these modules.
        from puppylog.stores.duckdb.engine.level_upgrade import add_missing_levels  # noqa: PLC0415 - see above

        add_missing_levels(connection)
    return found
