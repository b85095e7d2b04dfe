"""Which records a PostgreSQL store keeps: the setting, in tables of the database."""

from typing import Final

from puppylog.errors import UsageError
from puppylog.model.retention import Retention
from puppylog.stores.postgres.schema.bootstrap import check_keep
from puppylog.stores.postgres.schema.flavour import Flavour
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "retention.sql")

_WITHOUT_GROUPS: Final = {
    Flavour.CITUS: "Citus drops whole days only: columnar partitions accept no deletions",
    Flavour.TIMESCALEDB_DISTRIBUTED: "TimescaleDB drops whole chunks only, which are compressed on the data nodes",
}
"""Why a flavour cannot drop the records of some groups."""


def read_retention(session: Session) -> Retention:
    """Return which records the store keeps."""
    (row,) = session.rows(_QUERIES["read_retention"])
    groups = tuple((group["group_name"], group["keep_s"]) for group in session.rows(_QUERIES["read_groups"]))
    return Retention(**row, groups=groups)


def write_retention(session: Session, retention: Retention) -> bool:
    """Store which records are kept, in the caller's transaction; return whether this is a change.

    Raises:
        UsageError: it names an archive, or groups that the store cannot drop records of, or a metric's period is too
            long for it.
    """
    if retention.archive is not None:
        cause = "only the embedded store writes an archive"
        raise UsageError(
            "archive", "records", cause, advice="copy old partitions or chunks with the server's own tools"
        )
    if read_retention(session) == retention:
        return False
    flavour = Flavour(session.value(_QUERIES["flavour"]))
    if retention.groups and flavour in _WITHOUT_GROUPS:
        raise UsageError("keep", "records of a group for another time", _WITHOUT_GROUPS[flavour])
    ages = [keep_s for _, keep_s in retention.groups] + ([] if retention.keep_s is None else [retention.keep_s])
    if ages:
        check_keep(session, min(ages))
    session.run(_QUERIES["note_dropped"])
    session.run(_QUERIES["write_keep"], {"keep_s": retention.keep_s})
    session.run(_QUERIES["write_size"], {"max_bytes": retention.max_bytes})
    session.run(_QUERIES["delete_groups"])
    for name, keep_s in retention.groups:
        session.run(_QUERIES["insert_group"], {"group_name": name, "keep_s": keep_s})
    session.run(_QUERIES["schedule_drops"])
    return True
