"""Creates the extensions for a new store, if the server offers and has loaded them.

If the server has no TimescaleDB, the store gets another flavour. If TimescaleDB is there and cannot be created, the
installation is refused: a flavour is permanent, so a missing right would make a plain PostgreSQL store for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from puppylog.errors import PuppylogError, StoreRefused
from puppylog.stores.postgres.schema.flavour import Server, is_cron, is_timescaledb_used
from puppylog.stores.postgres.sessions.session import Session, name_store


@dataclass(frozen=True, slots=True)
class Wanted:
    """An extension to create."""

    name: str
    is_needed: bool  # without it the store would have another flavour


def iter_wanted(server: Server, *, is_new: bool, is_distributed: bool) -> Iterator[Wanted]:
    """Yield the extensions to create, in order. ``is_new``: Puppylog is not installed in the database yet."""
    offers_timescaledb = server.timescaledb_is_loaded and server.timescaledb_offered is not None
    if is_new and offers_timescaledb and server.timescaledb is None and server.citus is None:
        is_used = is_timescaledb_used(server.timescaledb_offered or "", is_distributed=is_distributed)
        yield Wanted("timescaledb", is_needed=is_used)
    if is_new and is_distributed and server.citus is None and server.citus_is_loaded:
        yield Wanted("citus", is_needed=True)
    if is_new and is_distributed and not server.citus_columnar and server.citus_columnar_offered:
        yield Wanted("citus_columnar", is_needed=False)
    if server.pg_cron is None and server.pg_cron_database == server.database and is_cron(server.pg_cron_offered or ""):
        yield Wanted("pg_cron", is_needed=False)


def create_extensions(url: str, server: Server, *, is_new: bool, is_distributed: bool) -> list[str]:
    """Create the wanted extensions; return notes about them for the user.

    Raises:
        StoreRefused: an extension that decides the flavour cannot be created.
        StoreUnavailable: the server does not answer.
    """
    notes = []
    for wanted in iter_wanted(server, is_new=is_new, is_distributed=is_distributed):
        try:
            _create(url, wanted.name)
        except PuppylogError as error:
            if wanted.is_needed:
                raise _refuse(error, url, wanted.name) from None
            notes.append(f"{wanted.name} is offered, but cannot be created: {error.cause}")
        else:
            notes.append(f"created extension {wanted.name}")
    return notes


def _refuse(error: PuppylogError, url: str, name: str) -> PuppylogError:
    if error.transient:
        return error
    return StoreRefused(
        "install into",
        name_store(url),
        f"{name} is loaded, and cannot be created: {error.cause}",
        advice=(
            f"let a superuser run CREATE EXTENSION {name} in this database, then bootstrap again, or "
            "name a server without it"
        ),
    )


def _create(url: str, name: str) -> None:
    """Create the extension in a new session: TimescaleDB refuses a session that has run other statements before."""
    with Session(url) as session:
        if name == "pg_cron":
            session.run("SELECT set_config('citus.enable_ddl_propagation', 'off', false)")  # on this node only
        session.run(f"CREATE EXTENSION IF NOT EXISTS {name} CASCADE")
