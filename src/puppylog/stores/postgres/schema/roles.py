"""Two roles, for logins to be members of: a writer that can only append and move its own streams' positions, a reader
that can only read. To define metrics and alerts, a login is a member of the role that owns the store.
"""

from collections.abc import Sequence
from typing import Final

from puppylog.stores.postgres.schema.flavour import Flavour
from puppylog.stores.postgres.schema.migrations import split_statements
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "roles.sql")

WRITER: Final = "puppylog_writer"
READER: Final = "puppylog_reader"


def find_roles(session: Session) -> Sequence[str]:
    """Return which of the two there are."""
    return [row["name"] for row in session.rows(_QUERIES["find_roles"], {"names": [WRITER, READER]})]


def create_roles(session: Session) -> Sequence[str]:
    """Create the roles that are missing; they can not log in by themselves."""
    known = find_roles(session)
    for name in (WRITER, READER):
        if name not in known:
            session.run(_QUERIES["create_role"].format(role=name))
    return [WRITER, READER]


def grant(session: Session, names: Sequence[str], flavour: Flavour) -> None:
    """Grant the roles the rights that they need, and all other roles none."""
    if flavour is Flavour.TIMESCALEDB_DISTRIBUTED:
        for name in names:
            session.run(_QUERIES["create_role_on_data_nodes"].format(role=name))
            session.run(_QUERIES["let_into_data_nodes"].format(role=name))
    wanted = {"revoke_all": True, "grant_writer": WRITER in names, "grant_reader": READER in names}
    for query, is_wanted in wanted.items():
        for statement in split_statements(_QUERIES[query]) if is_wanted else ():
            session.run(statement)
