"""The flavour of a PostgreSQL store. It depends on what the server has, never on a setting.

`read_server` asks the server, and the pure function `choose` decides. The flavour of an installed store never changes,
because the layout of its records depends on it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from puppylog.errors import ConfigurationError
from puppylog.stores.doctor import Capability
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")

_OLDEST: Final = 140_000
_TIMESCALEDB: Final = (2, 14)
_ORIGIN: Final = (2, 15)
_MULTI_NODE: Final = ((2, 5), (2, 14))
_CITUS: Final = (12,)
_CRON: Final = (1, 5)  # the first version with schedules shorter than a minute


class Flavour(StrEnum):
    PLAIN = "plain"
    TIMESCALEDB = "timescaledb"
    TIMESCALEDB_DISTRIBUTED = "timescaledb_distributed"
    CITUS = "citus"

    @property
    def is_timescale(self) -> bool:
        return self in (Flavour.TIMESCALEDB, Flavour.TIMESCALEDB_DISTRIBUTED)


@dataclass(frozen=True, slots=True)
class Server:
    """The properties of a server and its database on which a flavour depends."""

    version: int  # as in 170004
    is_standby: bool
    timescaledb: str | None = None  # version of the extension in this database
    timescaledb_offered: str | None = None  # version that could be created
    timescaledb_is_loaded: bool = False  # the library, without which the extension cannot be created
    timescaledb_license: str | None = None  # "timescale" or "apache"
    timescaledb_schema: str = "public"
    refreshes_in_batches: bool = False  # a refresh makes several transactions, unless an option forbids it
    has_batched_policies: bool = False
    data_nodes: int = 0
    citus: str | None = None
    citus_offered: str | None = None
    citus_is_loaded: bool = False
    citus_columnar: bool = False
    citus_columnar_offered: bool = False
    workers: int = 0
    pg_cron: str | None = None
    pg_cron_offered: str | None = None
    pg_cron_database: str | None = None  # the database in which pg_cron runs
    database: str = ""

    @property
    def version_text(self) -> str:
        return f"{self.version // 10_000}.{self.version % 10_000}"

    @property
    def has_cron(self) -> bool:
        """Whether this database has a pg_cron that can run Puppylog's jobs."""
        return self.pg_cron is not None and is_cron(self.pg_cron)


@dataclass(frozen=True, slots=True)
class Choice:
    """A flavour, and why it was chosen."""

    flavour: Flavour
    why: str


def read_server(session: Session) -> Server:
    """Return the properties of the server and its database."""
    (row,) = session.rows(_QUERIES["server"])
    return Server(version=session.server_version, database=session.database, **row)


def parse_version(text: str) -> tuple[int, ...]:
    """Return the numbers at the beginning of a version: (2, 29, 2) for ``2.29.2-dev``."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(number) for number in match[0].split(".")) if match else ()


def is_cron(version: str) -> bool:
    """Return whether this version of pg_cron can run Puppylog's jobs, which run every few seconds."""
    return parse_version(version) >= _CRON


def is_timescaledb_used(version: str, *, is_distributed: bool) -> bool:
    """Return whether a new store would use this version of TimescaleDB, if it is the community edition."""
    least, below = _MULTI_NODE if is_distributed else (_TIMESCALEDB, (1_000_000,))
    return least <= parse_version(version) < below


def takes_origin(server: Server) -> bool:
    """Return whether a continuous aggregate of this TimescaleDB takes buckets with an origin."""
    return parse_version(server.timescaledb or "") >= _ORIGIN


def check_server(server: Server, thing: str) -> None:
    """Raise ConfigurationError if the server is too old for every flavour. ``thing`` is the store's name."""
    if server.version < _OLDEST:
        raise ConfigurationError(
            "use", thing, f"PostgreSQL {server.version_text} is older than 14", advice="upgrade it"
        )


def choose(server: Server, *, is_distributed: bool) -> Choice:
    """Return the flavour that suits the server best.

    Raises:
        ConfigurationError: the server cannot distribute records; the advice says which servers can.
    """
    if is_distributed:
        return _choose_distributed(server)
    if server.citus is not None:
        return Choice(
            Flavour.PLAIN,
            f"Citus {server.citus} is installed, but --distributed is not given; all records stay on this node",
        )
    if server.timescaledb is None:
        offered = server.timescaledb_offered
        why = (
            "no TimescaleDB"
            if offered is None
            else f"TimescaleDB {offered} is not created in this database"
            if server.timescaledb_is_loaded
            else f"TimescaleDB {offered} is installed, but not named in shared_preload_libraries"
        )
        return Choice(Flavour.PLAIN, f"{why}: native partitions, rollup tables")
    if server.timescaledb_license == "apache":
        return Choice(
            Flavour.PLAIN,
            f"TimescaleDB {server.timescaledb} is its Apache edition, which has no continuous aggregates, jobs or "
            "policies: native partitions, rollup tables",
        )
    if parse_version(server.timescaledb) < _TIMESCALEDB:
        return Choice(
            Flavour.PLAIN,
            f"TimescaleDB {server.timescaledb} is older than 2.14, and used for several machines only (--distributed): "
            "native partitions, rollup tables",
        )
    return Choice(Flavour.TIMESCALEDB, f"TimescaleDB {server.timescaledb}: hypertable, continuous aggregates, jobs")


def _choose_distributed(server: Server) -> Choice:
    if server.citus is not None:
        if parse_version(server.citus) < _CITUS:
            raise ConfigurationError("distribute", "", f"Citus {server.citus} is older than 12", advice="upgrade it")
        nodes = "this node alone" if server.workers == 0 else f"{server.workers} workers"
        return Choice(Flavour.CITUS, f"Citus {server.citus}: distributed by stream over {nodes}")
    if server.timescaledb is None:
        raise ConfigurationError(
            "distribute",
            "",
            "neither Citus nor TimescaleDB is in this database",
            advice="install Citus 12 or later, or leave out --distributed for one machine",
        )
    least, below = _MULTI_NODE
    version = parse_version(server.timescaledb)
    if version >= below:
        raise ConfigurationError(
            "distribute",
            "",
            f"TimescaleDB {server.timescaledb} no longer has data nodes (2.13 was the last with them)",
            advice="use Citus for several machines, or leave out --distributed",
        )
    if version < least:
        raise ConfigurationError(
            "distribute",
            "",
            f"TimescaleDB {server.timescaledb} has no continuous aggregates over data nodes",
            advice="upgrade it to 2.13, or use Citus",
        )
    if server.timescaledb_license == "apache":
        raise ConfigurationError(
            "distribute",
            "",
            f"TimescaleDB {server.timescaledb} is its Apache edition; data nodes need the community edition",
        )
    if server.data_nodes == 0:
        raise ConfigurationError(
            "distribute",
            "",
            "this TimescaleDB has no data nodes",
            advice="attach some with add_data_node(name, host), or leave out --distributed",
        )
    return Choice(
        Flavour.TIMESCALEDB_DISTRIBUTED,
        f"TimescaleDB {server.timescaledb}: distributed by stream over {server.data_nodes} data nodes",
    )


def list_capabilities(flavour: Flavour, server: Server) -> Sequence[Capability]:
    """Return the capabilities of a store of this flavour, and why it lacks some."""
    is_timescale = flavour.is_timescale
    needs = {
        Flavour.PLAIN: "needs TimescaleDB's community edition, 2.14 or later",
        Flavour.CITUS: "only TimescaleDB has them, and it does not run with Citus",
    }.get(flavour, "")
    has_cron = flavour in (Flavour.PLAIN, Flavour.CITUS) and server.has_cron
    return (
        Capability(
            "continuous aggregates",
            is_timescale,
            "TimescaleDB refreshes metrics; those limited to a group, and those it cannot take, are rollup tables"
            if is_timescale
            else f"{needs}; metrics are rollup tables, with the same values",
        ),
        Capability(
            "jobs in the server",
            is_timescale or has_cron,
            "TimescaleDB's scheduler"
            if is_timescale
            else "pg_cron"
            if has_cron
            else f"{_describe_no_cron(server)}: one collector with --watch, or one puppylog up, runs them at a time",
        ),
        Capability(
            "columns for old records",
            is_timescale or server.citus_columnar,
            "TimescaleDB's columnstore"
            if is_timescale
            else "Citus' columnar partitions"
            if flavour is Flavour.CITUS and server.citus_columnar
            else "needs TimescaleDB's community edition or citus_columnar",
        ),
        Capability(
            "several machines",
            flavour in (Flavour.CITUS, Flavour.TIMESCALEDB_DISTRIBUTED),
            f"{server.workers} workers"
            if flavour is Flavour.CITUS
            else f"{server.data_nodes} data nodes"
            if flavour is Flavour.TIMESCALEDB_DISTRIBUTED
            else "needs Citus 12 or later, at installation (bootstrap --distributed)",
        ),
    )


def _describe_no_cron(server: Server) -> str:
    version = server.pg_cron or server.pg_cron_offered
    if version is None or is_cron(version):
        return "no pg_cron in this database"
    return f"pg_cron {version} is older than 1.5, and has no schedules of seconds"
