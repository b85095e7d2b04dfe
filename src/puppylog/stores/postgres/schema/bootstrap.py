"""Installs and upgrades a store: idempotent, in one transaction, and safe if two clients do it at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from puppylog.errors import ConfigurationError, StoreRefused, StoreUnavailable, UsageError
from puppylog.model.period import format_period
from puppylog.stores.doctor import Capability
from puppylog.stores.postgres.schema import roles
from puppylog.stores.postgres.schema.extensions import create_extensions
from puppylog.stores.postgres.schema.flavour import (
    Flavour,
    Server,
    check_server,
    choose,
    list_capabilities,
    read_server,
)
from puppylog.stores.postgres.schema.installation import Installation, find_installation
from puppylog.stores.postgres.schema.migrations import SCHEMA_VERSION, check_version, migrate
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")
_DAY_S = 86_400
_PAUSES_S: Final = (0.1, 0.5, 2.0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How many seconds records are kept, and when they become columnar. None changes nothing, 0 means never."""

    drop_after_s: int | None = None
    columnar_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """The result of a bootstrap: what was found and what was chosen."""

    name: str  # of the store
    server: Server
    flavour: Flavour
    why: str
    found_version: int  # the schema version before; 0 if nothing was installed
    schema_version: int
    drop_after_s: int | None
    columnar_after_s: int | None
    capabilities: Sequence[Capability]
    roles: Sequence[str]
    notes: Sequence[str]


def bootstrap(
    url: str, *, is_distributed: bool = False, lifetimes: Lifetimes | None = None, with_roles: bool = False
) -> Bootstrapped:
    """Install Puppylog in the database at ``url``, or upgrade it.

    Args:
        url: ``postgresql://user@host/database``.
        is_distributed: whether to distribute the records over several machines.
        lifetimes: how long records are kept.
        with_roles: whether to create the roles for writers and readers.

    Raises:
        ConfigurationError: the server is too old, or cannot distribute the records.
        StoreRefused: the database is a standby, has other things in Puppylog's schemas, or has a newer version; or an
            extension cannot be created.
        StoreForbidden: the role lacks a right.
        StoreUnavailable: the server does not answer.
    """
    lifetimes = lifetimes or Lifetimes()
    with Session(url, application="puppylog-bootstrap") as session:
        server = read_server(session)
        check_server(server, session.name)
        if server.is_standby:
            raise StoreRefused("install into", session.name, "it is a read-only standby", advice="name its primary")
        session.run(_QUERIES["lock_installation"])
        found = find_installation(session)
        if found is not None and found.schema_version > SCHEMA_VERSION:
            check_version(found.schema_version, session.name)
        notes = create_extensions(url, server, is_new=found is None, is_distributed=is_distributed)
        server = read_server(session)
        if server.citus is not None:
            server = replace(server, workers=int(session.value(_QUERIES["count_workers"])))
        flavour, why = _choose(server, found, is_distributed=is_distributed)

        def install() -> Sequence[str]:
            with session.transaction():
                _install(session, flavour, found, server, lifetimes)
                names = roles.create_roles(session) if with_roles else roles.find_roles(session)
                roles.grant(session, names, flavour)
            return names

        names = _repeat(install, session)
        session.run(_QUERIES["tend_days"])  # at once, because lines may come before the jobs run for the first time
        installed = find_installation(session)
        if installed is None:
            raise StoreRefused("install into", session.name, "what was installed is gone again")
        return Bootstrapped(
            name=session.name,
            server=server,
            flavour=flavour,
            why=why,
            found_version=0 if found is None else found.schema_version,
            schema_version=installed.schema_version,
            drop_after_s=installed.drop_after_s,
            columnar_after_s=installed.columnar_after_s,
            capabilities=list_capabilities(flavour, server),
            roles=names,
            notes=notes,
        )


def _repeat(install: Callable[[], T], session: Session) -> T:
    """Install, and again a few times if the transaction fails but not its session.

    Roles belong to all databases of a server. Citus alters them on its workers, where two installations may conflict.
    """
    for pause_s in _PAUSES_S:
        try:
            return install()
        except StoreUnavailable:
            if session.is_broken:
                raise
        time.sleep(pause_s)
    return install()


def _choose(server: Server, found: Installation | None, *, is_distributed: bool) -> tuple[Flavour, str]:
    if found is None:
        choice = choose(server, is_distributed=is_distributed)
        return choice.flavour, choice.why
    is_spread = found.flavour in (Flavour.CITUS, Flavour.TIMESCALEDB_DISTRIBUTED)
    if is_distributed and not is_spread:
        raise ConfigurationError(
            "distribute",
            "",
            f"this store was installed as {found.flavour} and stays so",
            advice="install into another database and collect there",
        )
    _check_extension(found.flavour, server)
    return found.flavour, "as it was installed"


def _check_extension(flavour: Flavour, server: Server) -> None:
    missing = (flavour.is_timescale and server.timescaledb is None) or (
        flavour is Flavour.CITUS and server.citus is None
    )
    if missing:
        raise StoreRefused("upgrade", "", f"the store was installed as {flavour}, and that extension is gone")


def _install(
    session: Session, flavour: Flavour, found: Installation | None, server: Server, lifetimes: Lifetimes
) -> None:
    before = 0 if found is None else found.schema_version
    if before == 0:
        migrate(session, flavour, before, server, routines=False)
        default_s = 2 * _DAY_S if flavour is not Flavour.PLAIN else 0
        lifetimes = replace(
            lifetimes,
            columnar_after_s=default_s if lifetimes.columnar_after_s is None else lifetimes.columnar_after_s,
        )
    _check_lifetimes(session, lifetimes, is_new=found is None)
    session.run(
        _QUERIES["set_lifetimes"],
        {
            "is_drop_given": lifetimes.drop_after_s is not None,
            "drop_after_s": lifetimes.drop_after_s or None,
            "is_columnar_given": lifetimes.columnar_after_s is not None,
            "columnar_after_s": lifetimes.columnar_after_s or None,
        },
    )
    migrate(session, flavour, SCHEMA_VERSION if before == 0 else before, server, routines=True)
    if 0 < before < SCHEMA_VERSION:
        from puppylog.stores.postgres.schema.samples import fill_sample_queries  # noqa: PLC0415 - parses expressions

        fill_sample_queries(session)
        from puppylog.stores.postgres.schema.level_upgrade import add_levels, renew_levels  # noqa: PLC0415 - as above

        add_levels(session)
        renew_levels(session)


def _check_lifetimes(session: Session, lifetimes: Lifetimes, *, is_new: bool) -> None:
    if lifetimes.drop_after_s and not is_new:
        check_keep(session, lifetimes.drop_after_s)


def check_keep(session: Session, kept_s: int) -> None:
    """Check that records are kept for several periods of every metric.

    Raises:
        UsageError: they are not; the cause names the metric with the longest period.
    """
    rows = session.rows(_QUERIES["longest_period"])
    if rows and rows[0]["period_s"] * 4 > kept_s:
        raise UsageError(
            "keep",
            f"records for {format_period(kept_s)}",
            (
                f"metric {rows[0]['name']!r} has a period of {format_period(rows[0]['period_s'])}, and would lose "
                "buckets with their records"
            ),
        )
