"""The installation in a database, which every client reads when it connects."""

from dataclasses import dataclass
from typing import Final

from puppylog.errors import StoreForbidden, StoreRefused, StoreUnavailable
from puppylog.stores.postgres.schema.flavour import Flavour
from puppylog.stores.postgres.schema.migrations import check_version
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")
# The library that a flavour needs, and one of its settings, which has a type other than text only if it is loaded.
_LIBRARIES: Final = {
    Flavour.TIMESCALEDB: ("timescaledb", "timescaledb.restoring"),
    Flavour.TIMESCALEDB_DISTRIBUTED: ("timescaledb", "timescaledb.restoring"),
    Flavour.CITUS: ("citus", "citus.shard_count"),
}


@dataclass(frozen=True, slots=True)
class Installation:
    """The choices that were made when the store was installed or upgraded; times are in seconds, None means never."""

    flavour: Flavour
    schema_version: int
    drop_after_s: int | None
    columnar_after_s: int | None


def find_installation(session: Session) -> Installation | None:
    """Return the installation; None if Puppylog is not installed.

    Raises:
        StoreRefused: the database has schemas of Puppylog's names that are not Puppylog's.
    """
    (schemas,) = session.rows(_QUERIES["schemas"])
    if schemas["is_ours"]:
        rows = session.rows(_QUERIES["installation"])
        if rows and rows[0]["schema_version"]:
            return Installation(**{**rows[0], "flavour": Flavour(rows[0]["flavour"])})
    if schemas["has_schema"] or schemas["has_metrics"]:
        theirs = "puppylog" if schemas["has_schema"] else "metrics"
        raise StoreRefused(
            "use", session.name, f"its schema {theirs!r} is not Puppylog's", advice="name another database"
        )
    return None


def check_library(session: Session, flavour: Flavour) -> None:
    """Check that the server has loaded the library of the flavour's extension.

    Without it the server accepts rows, but stores them outside the chunks or shards, where no query finds them later.

    Raises:
        StoreRefused: the library is not loaded.
        StoreUnavailable: the database is being restored.
    """
    if flavour not in _LIBRARIES:
        return
    library, setting = _LIBRARIES[flavour]
    (row,) = session.rows(_QUERIES["library"], {"setting": setting})
    if not row["is_loaded"]:
        raise StoreRefused(
            "use",
            f"store {session.name}",
            f"the server has not loaded {library}",
            advice="name it in shared_preload_libraries, and restart the server",
        )
    if row["is_restoring"]:
        raise StoreUnavailable(
            "use", f"store {session.name}", "it is being restored, until timescaledb_post_restore() is called"
        )


def get_installation(session: Session) -> Installation:
    """Return the installation, if this version of Puppylog can use it.

    Raises:
        StoreForbidden: the session's role may not read it.
        StoreRefused: Puppylog is not installed, or has another version; the advice says what to do.
    """
    try:
        found = find_installation(session)
    except StoreForbidden:
        raise StoreForbidden(
            "use",
            session.name,
            f"role {session.role!r} may not read it",
            advice="make it a member of puppylog_reader or puppylog_writer (puppylog bootstrap --roles)",
        ) from None
    if found is None:
        raise StoreRefused(
            "use", session.name, "Puppylog is not installed there", advice="run 'puppylog bootstrap' first"
        )
    check_version(found.schema_version, session.name)
    if found.flavour is Flavour.CITUS:
        check_library(session, found.flavour)  # without the library, queries find no records, too
    return found
