"""Checks the places where a PostgreSQL store keeps its records: the partitions of days, and other machines."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from puppylog.model.finding import Finding, Health
from puppylog.stores.doctor import findings_of
from puppylog.stores.postgres.schema.flavour import Flavour
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "doctor.sql")

# Writes are blocked meanwhile, and collectors wait. The records have no replica identity, so Citus refuses to move a
# shard without blocking writes, and force_logical would not move late lines of a columnar partition.
_REBALANCE: Final = "SELECT citus_rebalance_start(shard_transfer_mode => 'block_writes')"
_TEND: Final = "the jobs make it within ten minutes; at once: SELECT puppylog.tend_days()"


def list_layout_findings(session: Session, flavour: Flavour) -> list[Finding]:
    """Return findings about the partitions, workers and data nodes, as far as this flavour has any."""
    parts: list[tuple[str, Callable[[Session], Iterator[Finding]]]] = []
    if not flavour.is_timescale:
        parts += [("partitions", _iter_day_findings), ("log_records_rest", _iter_rest_findings)]
    if flavour is Flavour.CITUS:
        parts += [("nodes", _iter_worker_findings), ("connections", _iter_connection_findings)]
    if flavour is Flavour.TIMESCALEDB_DISTRIBUTED:
        parts += [("data nodes", _iter_data_node_findings)]
    return [finding for subject, part in parts for finding in findings_of(subject, partial(part, session))]


def _iter_day_findings(session: Session) -> Iterator[Finding]:
    (days,) = session.rows(_QUERIES["days"])
    missing = [name for name, has in (("today", days["has_today"]), ("tomorrow", days["has_tomorrow"])) if not has]
    if not days["has_any"]:
        yield Finding("partitions", Health.NOTE, "there are none yet: the first collector creates them")
    elif missing:
        found = f"the one of {' and the one of '.join(missing)} (UTC) is missing"
        if days["are_tended"]:
            yield Finding("partitions", Health.WARNING, f"{found}, although the jobs run", _TEND)
        else:
            yield Finding(
                "partitions", Health.NOTE, f"{found}: a collector creates those it needs, the jobs the next ones"
            )
    else:
        yield Finding("partitions", Health.OK, "those of today and tomorrow (UTC) exist")


def _iter_rest_findings(session: Session) -> Iterator[Finding]:
    strays = int(session.value(_QUERIES["strays"]))
    if strays:
        found = f"it holds {strays:,} records of days that get their own partitions; reading them takes longer"
        yield Finding("log_records_rest", Health.WARNING, found, _TEND)
    (far,) = session.rows(_QUERIES["far_days"])
    if far["oldest"] is not None:
        found = (
            f"it holds records of {far['oldest']:%Y-%m-%d} to {far['newest']:%Y-%m-%d}: days more than 400 days ago, "
            "or more than 3 days ahead, get no partitions"
        )
        yield Finding("log_records_rest", Health.NOTE, found)
    if not strays and far["oldest"] is None:
        yield Finding("log_records_rest", Health.OK, "it is empty")


def _iter_worker_findings(session: Session) -> Iterator[Finding]:
    for node in session.rows(_QUERIES["citus_nodes"]):
        yield _judge_worker(node)


def _judge_worker(node: Mapping[str, Any]) -> Finding:
    role = "coordinator" if node["groupid"] == 0 else "worker"
    subject, name = f"{role} {node['nodename']}:{node['nodeport']}", f"'{node['nodename']}', {node['nodeport']}"
    if not node["isactive"]:
        return Finding(subject, Health.WRONG, "it is not active", f"SELECT citus_activate_node({name})")
    if role == "worker" and node["shouldhaveshards"] and not node["shards"]:
        found = "it holds none of the records' shards: it was added after the store was installed"
        return Finding(subject, Health.WARNING, found, _REBALANCE)
    return Finding(subject, Health.OK, f"active; it holds {node['shards']} of the records' shards")


def _iter_connection_findings(session: Session) -> Iterator[Finding]:
    broken = session.rows(_QUERIES["citus_connections"])
    for row in broken:
        found = "{to_nodename}:{to_nodeport} cannot be reached from {from_nodes} of the nodes".format(**row)
        advice = "check whether it runs and this role may connect to it: pg_hba.conf, .pgpass, pg_dist_authinfo"
        yield Finding("connections", Health.WRONG, found, advice)
    if not broken:
        yield Finding("connections", Health.OK, "every node reaches every other")


def _iter_data_node_findings(session: Session) -> Iterator[Finding]:
    nodes = session.rows(_QUERIES["data_nodes"])
    for node in nodes:
        subject = f"data node {node['node_name']}"
        if node["answers"]:
            yield Finding(subject, Health.OK, "it answers")
        else:
            advice = "check whether it runs and this role may connect to it"
            yield Finding(subject, Health.WRONG, "it does not answer: its records cannot be read", advice)
    if not nodes:
        yield Finding("data nodes", Health.WRONG, "there are none any more")
