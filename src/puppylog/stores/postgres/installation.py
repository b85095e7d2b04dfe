"""What is installed in a database, as everybody who connects finds it."""

from dataclasses import dataclass

from puppylog.errors import PuppylogError, StoreRefused, StoreUnavailable
from puppylog.stores.postgres.flavour import Flavour
from puppylog.stores.postgres.schema import check_version
from puppylog.stores.postgres.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")


@dataclass(frozen=True, slots=True)
class Installation:
    """What was chosen when the store was installed."""

    flavour: Flavour
    schema_version: int
    drop_after_s: int | None
    columnar_after_s: int | None


def find_installation(session: Session) -> Installation | None:
    """Return what is installed; None if nothing is.

    Raises:
        StoreRefused: there is something else in schemas of our names.
    """
    (schemas,) = session.rows(_QUERIES["schemas"])
    if schemas["is_ours"]:
        rows = session.rows(_QUERIES["installation"])
        if rows and rows[0]["schema_version"]:
            return Installation(**{**rows[0], "flavour": Flavour(rows[0]["flavour"])})
    if schemas["has_schema"] or schemas["has_metrics"]:
        theirs = "puppylog" if schemas["has_schema"] else "metrics"
        raise StoreRefused(f"cannot use {session.name}: its schema {theirs!r} is not Puppylog's; name another database")
    return None


def check_chunks(session: Session) -> None:
    """Raise if TimescaleDB would not put rows into chunks, but beside them, where nobody finds them later.

    Raises:
        StoreRefused: its library is not loaded.
        StoreUnavailable: the database is being restored.
    """
    (row,) = session.rows(_QUERIES["chunks"])
    if not row["is_loaded"]:
        raise StoreRefused(
            f"cannot write to store {session.name}: the server has not loaded TimescaleDB; name it in "
            "shared_preload_libraries, and restart the server"
        )
    if row["is_restoring"]:
        raise StoreUnavailable(
            f"cannot write to store {session.name}: it is being restored, until timescaledb_post_restore() is called"
        )


def get_installation(session: Session) -> Installation:
    """Return what is installed, if this version of Puppylog can work with it.

    Raises:
        StoreRefused: it can not; the message says what to do.
    """
    try:
        found = find_installation(session)
    except PuppylogError as error:
        if isinstance(error, StoreRefused) and "permission denied" in error.message:
            raise StoreRefused(
                f"cannot use {session.name}: role {session.role!r} may not read it; make it a member of "
                "puppylog_reader or puppylog_writer (puppylog bootstrap --roles)"
            ) from None
        raise
    if found is None:
        raise StoreRefused(
            f"cannot use {session.name}: Puppylog is not installed there; run 'puppylog bootstrap' first"
        )
    check_version(found.schema_version, session.name)
    return found
