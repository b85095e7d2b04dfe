"""Findings about a PostgreSQL store: the server, its capabilities and the known faults of its version, then its parts.

Each part is read by its own query, so that a part that is broken or that this role may not read hides no other part.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from puppylog.model.finding import Finding, Health
from puppylog.model.period import format_period
from puppylog.stores.doctor import StoreFindings, findings_of, list_capability_findings
from puppylog.stores.postgres.doctor.jobs import list_job_findings
from puppylog.stores.postgres.doctor.known_faults import find_faults
from puppylog.stores.postgres.doctor.layout import list_layout_findings
from puppylog.stores.postgres.schema.flavour import Flavour, Server, list_capabilities, parse_version, read_server
from puppylog.stores.postgres.schema.installation import Installation
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "doctor.sql")
_SERVER_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")

_EXTENSIONS: Final = ("timescaledb", "citus", "pg_cron")


def list_findings(session: Session, installed: Installation) -> StoreFindings:
    """Return the findings about the server, its jobs, the metrics, and the tables of records.

    Raises:
        StoreUnavailable: the server does not answer.
    """
    server = read_server(session)
    if installed.flavour is Flavour.CITUS:
        server = replace(server, workers=int(session.value(_SERVER_QUERIES["count_workers"])))
    claimed = frozenset(row["stream_id"] for row in session.rows(_QUERIES["claimed_streams"]))
    findings = [
        *findings_of("server", partial(_iter_server_findings, session, server, installed)),
        *list_capability_findings(list_capabilities(installed.flavour, server)),
    ]
    if installed.flavour.is_timescale and server.timescaledb is not None:
        findings += find_faults(installed.flavour, server.timescaledb, server.version)
    findings += list_job_findings(session, server, installed)
    findings += list_layout_findings(session, installed.flavour)
    return StoreFindings(findings, claimed)


def _iter_server_findings(session: Session, server: Server, installed: Installation) -> Iterator[Finding]:
    yield Finding("server", Health.OK, f"PostgreSQL {server.version_text} at {session.name}")
    (state,) = session.rows(_QUERIES["session"])
    if server.is_standby:
        yield Finding("server", Health.NOTE, "it is a standby: it can be read, and nothing can be collected into it")
    elif state["is_read_only"]:
        yield Finding(
            "server",
            Health.WARNING,
            "transactions are read-only by default: nothing can be collected",
            "set default_transaction_read_only = off for the database or the role",
        )
    yield from _iter_extension_findings(server)
    yield Finding("store", Health.OK, _describe(installed))
    if installed.flavour.is_timescale and server.timescaledb_license == "apache":
        yield Finding(
            "edition",
            Health.WRONG,
            "the store needs TimescaleDB's community edition, and this server now runs its Apache edition",
            "set timescaledb.license = 'timescale', or install the community edition's package",
        )


def _iter_extension_findings(server: Server) -> Iterator[Finding]:
    for name in _EXTENSIONS:
        version, offered = getattr(server, name), getattr(server, f"{name}_offered")
        if version is None:
            continue
        edition = (
            f", {_EDITIONS.get(server.timescaledb_license or '', 'unknown')} edition" if name == "timescaledb" else ""
        )
        is_old = offered is not None and parse_version(offered) > parse_version(version)
        yield Finding(
            f"extension {name}",
            Health.NOTE if is_old else Health.OK,
            f"{version}{edition}" + (f"; {offered} is installed on the server" if is_old else ""),
            f"ALTER EXTENSION {name} UPDATE" if is_old else "",
        )


_EDITIONS: Final = {"timescale": "community", "apache": "Apache"}


def _describe(installed: Installation) -> str:
    kept = "for ever" if installed.drop_after_s is None else f"for {format_period(installed.drop_after_s)}"
    columnar = installed.columnar_after_s
    turned = "" if columnar is None else f", turned into columns after {format_period(columnar)}"
    return f"flavour {installed.flavour}, schema version {installed.schema_version}; records are kept {kept}{turned}"
