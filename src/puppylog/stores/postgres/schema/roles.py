"""Two roles for logins: a writer, which can only append and move its own streams' positions, and a reader.

A login is made a member of these roles. To define metrics and alerts, it must be a member of the role that owns the
store.
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
    """Return which of the two roles exist."""
    return [row["name"] for row in session.rows(_QUERIES["find_roles"], {"names": [WRITER, READER]})]


def create_roles(session: Session) -> Sequence[str]:
    """Create the roles that do not exist; return both. They cannot log in: logins become members of them."""
    known = find_roles(session)
    for name in (WRITER, READER):
        if name not in known:
            session.run(_QUERIES["create_role"].format(role=name))
    return [WRITER, READER]


def grant(session: Session, names: Sequence[str], flavour: Flavour) -> None:
    """Grant the roles in ``names`` the rights that they need, and revoke all rights from everyone else."""
    if flavour is Flavour.TIMESCALEDB_DISTRIBUTED:
        for name in names:
            session.run(_QUERIES["create_role_on_data_nodes"].format(role=name))
            session.run(_QUERIES["let_into_data_nodes"].format(role=name))
    wanted = {"revoke_all": True, "grant_writer": WRITER in names, "grant_reader": READER in names}
    for query, is_wanted in wanted.items():
        for statement in split_statements(_QUERIES[query]) if is_wanted else ():
            session.run(statement)
