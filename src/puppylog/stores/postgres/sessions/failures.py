"""The one translator of psycopg's exceptions: which of Puppylog's errors each becomes, and with what advice.

A server writes its messages in the language of its ``lc_messages``. So an error is recognized by its SQLSTATE, and its
text is only shown. If a connection fails, psycopg gives only a text. An English text is recognized, because it says
more than the SQLSTATE; for other texts `refusal` finds the SQLSTATE. If both fail, the error is that the store does not
answer.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final

import psycopg
from psycopg import errors as sqlstates

from puppylog.errors import (
    ConfigurationError,
    PuppylogError,
    QueryError,
    StoreCrowded,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)

# Classes of SQLSTATE that say: this row can never be stored. Data exception, integrity violation, limit exceeded.
_REFUSES_ROW: Final = ("22", "23", "54")
# Connection exception, operator intervention, transaction rollback, insufficient resources, system and internal error;
# a transaction that has idled, or lasted, longer than the server allows, as when a machine has slept in it.
_MAY_PASS: Final = ("08", "57", "40", "53", "58", "XX", "25P03", "25P04")
_LOCK_NOT_AVAILABLE: Final = "55P03"
# The classes in which a user's own SQL is at fault.
_OF_A_QUERY: Final = ("22", "42", "0A", "21", "25", "26", "34", "54", "2F", "38", "39", "P0", "57014", "2B", "23")

# Errors about prepared statements and their parameters: another client's session has taken the place of this one.
_SESSION_EXCHANGED: Final = ("08P01", "26000", "42P05")

# Errors that a retry does not cure, with the advice for each.
_REFUSED: Final[dict[type[psycopg.Error], str]] = {
    sqlstates.ReadOnlySqlTransaction: "if this is a standby, name its primary (or target_session_attrs=read-write)",
    sqlstates.UndefinedFile: "the server lacks a library that the database needs: install its package",
}

# Texts of the server or libpq when a connection is refused for a reason that a retry does not cure, with advice.
_NEVER_CONNECTS: Final = {
    "password authentication failed": "check PGPASSWORD, ~/.pgpass or the service file",
    "no password supplied": "set PGPASSWORD, or write the password into ~/.pgpass",
    "authentication failed": "ask the server's administrator",
    "no pg_hba.conf entry": "the server does not accept this user from this machine; see its pg_hba.conf",
    "does not exist": "create it, or name another one",
    "permission denied for database": "the role needs CONNECT on it",
    "is not permitted to log in": "name a role that may, and is a member of it",
    "definition of service": "see the service file (PGSERVICEFILE, ~/.pg_service.conf)",
    "server does not support SSL": "choose another sslmode",
    "certificate verify failed": "see sslrootcert",
    "invalid port number": "see PGPORT",
    "invalid integer value": "see PGPORT and the URL's parameters",
    "invalid sslmode": "see PGSSLMODE",
    # Of PgBouncer.
    "unsupported startup parameter": (
        "the pooler in front of the server does not pass it on: leave it out of the URL and of PGOPTIONS, and set it "
        "for the role or the database instead"
    ),
    "no such database": "the pooler in front of the server does not know it; see [databases] of its configuration",
    "no such user": "the pooler in front of the server does not know it; see auth_file of its configuration",
}

# The same by SQLSTATE, for servers whose messages are not in English.
_REFUSED_STATES: Final = {
    "28P01": "check PGPASSWORD, ~/.pgpass or the service file",
    "28000": "the server does not accept this role from this machine: it needs LOGIN, and a line of pg_hba.conf",
    "3D000": "create it, or name another one",
    "42501": "the role needs CONNECT on it",
}
_NO_CONNECTION_LEFT: Final = "53300"
_ANY_LIMIT: Final = "raise max_connections of the server, or the CONNECTION LIMIT of the role or of the database"

# Texts of a server or PgBouncer that has no connection left, with the limit that was reached.
_EXHAUSTED: Final = {
    "too many connections for role": "raise the limit of the role with ALTER ROLE … CONNECTION LIMIT",
    "too many connections for database": "raise the limit of the database with ALTER DATABASE … CONNECTION LIMIT",
    "too many clients already": "raise max_connections of the server",
    "remaining connection slots are reserved": (
        "raise max_connections of the server, which includes superuser_reserved_connections and reserved_connections"
    ),
    "no more connections allowed": "raise max_client_conn of PgBouncer",
    "query_wait_timeout": "raise default_pool_size or max_db_connections of PgBouncer",
}


# libpq quotes the part of a URL that it does not understand, and this part may be a password. A quote of one character
# is not from the URL: it is, for example, the missing separator.
_QUOTED: Final = re.compile(r'"[^"]"|".*"')
_NAMES_A_PARAMETER: Final = re.compile(r'(invalid|extra key/value separator "=" in) URI query parameter: "[a-z_]+"')
_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")


class ConnectionsExhausted(StoreCrowded):
    """The server has no connection left. Callers outside this store see a `StoreCrowded`."""


class RowRefused(PuppylogError):
    """The server refuses a row of a COPY because of its values. The store finds that row and keeps it as rejected."""


class Right(Enum):
    """The right that a statement of Puppylog needs, and the grant that gives it."""

    READ = "GRANT puppylog_reader TO {role} lets it read"
    WRITE = "GRANT puppylog_writer TO {role} lets it collect"
    ANY = (
        "GRANT puppylog_reader TO {role} lets it read, GRANT puppylog_writer TO {role} lets it collect; only the "
        "owner of the store defines metrics and alerts"
    )

    def advise(self, role: str) -> str:
        """Return the advice for a role that lacks the right."""
        name = role if _PLAIN_NAME.fullmatch(role) else '"' + role.replace('"', '""') + '"'
        return f"role {role!r} lacks a right: {self.value.format(role=name)} (see 'puppylog bootstrap --roles')"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was attempted in a session, for the texts of its errors."""

    verb: str
    thing: str
    role: str = ""  # of the session, if a right may be what is missing
    right: Right = Right.ANY


@contextmanager
def translated(attempt: Attempt) -> Iterator[None]:
    """Turn psycopg's exceptions into Puppylog's."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, attempt) from error


def translate(error: psycopg.Error, attempt: Attempt) -> PuppylogError:
    """Return Puppylog's error for a failure in a session."""
    parts = attempt.verb, attempt.thing, describe(error)
    state = error.sqlstate or ""
    if isinstance(error, sqlstates.DiskFull):
        return StoreFull(*parts)
    if isinstance(error, sqlstates.InsufficientPrivilege):
        return StoreForbidden(*parts, _advise_forbidden(error, attempt))
    for kind, advice in _REFUSED.items():
        if isinstance(error, kind):
            return StoreRefused(*parts, advice)
    is_unexplained = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not state
    may_pass = state.startswith(_MAY_PASS) or state == _LOCK_NOT_AVAILABLE
    return StoreUnavailable(*parts) if may_pass or is_unexplained else StoreError(*parts)


def _advise_forbidden(error: psycopg.Error, attempt: Attempt) -> str:
    """Return the server's hint, which Puppylog's routines and CREATE EXTENSION give, or else the missing grant."""
    hint = " ".join((error.diag.message_hint or "").split()).removesuffix(".")
    if hint:
        return hint[:1].lower() + hint[1:]
    if attempt.role:
        return attempt.right.advise(attempt.role)
    return "see 'puppylog bootstrap --roles' for what each command needs"


def translate_query(error: psycopg.Error) -> PuppylogError:
    """Return Puppylog's error for a failure of SQL that a user has written.

    A missing right is a `QueryError` here as well, because the SQL may name anything in the database. The caller finds
    out whether it is the store that the role may not read, and then uses `forbid_reading`.
    """
    translation = translate(error, Attempt("run", "this SQL"))
    if isinstance(error, sqlstates.ReadOnlySqlTransaction):
        return QueryError("run", "this SQL", "only reading is allowed")
    if isinstance(error, sqlstates.QueryCanceled):
        return QueryError("finish", "this query", f"{translation.cause} (see --timeout)")
    is_faulty = (error.sqlstate or "").startswith(_OF_A_QUERY) or isinstance(error, psycopg.DataError)
    return QueryError("run", "this SQL", translation.cause) if is_faulty else translation


def is_timed_out(error: PuppylogError) -> bool:
    """Return whether the server has ended the statement, because of its time-out or because another session asked."""
    return isinstance(error.__cause__, sqlstates.QueryCanceled)


def is_read_only(error: PuppylogError) -> bool:
    """Return whether the server refuses to write: it is a standby, or its transactions are read-only by default."""
    return isinstance(error.__cause__, sqlstates.ReadOnlySqlTransaction)


def is_session_exchanged(error: psycopg.Error) -> bool:
    """Return whether a pooler has given this connection another session, which Puppylog has not prepared."""
    return error.sqlstate in _SESSION_EXCHANGED


def is_deadlock(error: PuppylogError) -> bool:
    """Return whether the server has rolled the transaction back, because it and another one waited for each other."""
    return isinstance(error.__cause__, sqlstates.DeadlockDetected)


def is_forbidden(error: PuppylogError) -> bool:
    """Return whether the session's role lacks a right."""
    return isinstance(error.__cause__, sqlstates.InsufficientPrivilege)


def forbid_reading(error: PuppylogError, role: str) -> StoreForbidden:
    """Return the same error for a role that may not read the store."""
    return StoreForbidden(error.verb, error.thing, error.cause, Right.READ.advise(role))


def translate_copy(error: psycopg.Error, attempt: Attempt) -> PuppylogError:
    """Return Puppylog's error for a failure of a COPY: `RowRefused` if one of its rows is at fault.

    A row without a partition is not at fault. Its error is that of a constraint, without the constraint's name.
    """
    has_no_place = isinstance(error, sqlstates.CheckViolation) and error.diag.constraint_name is None
    if (error.sqlstate or "").startswith(_REFUSES_ROW) and not has_no_place:
        return RowRefused("write", f"a row to {attempt.thing}", describe(error))
    return translate(error, attempt)


def translate_connect(
    error: psycopg.Error, thing: str, find_state: Callable[[str], str] = lambda _: ""
) -> PuppylogError:
    """Return Puppylog's error for a connection that failed.

    Args:
        error: what psycopg raised.
        thing: the store.
        find_state: finds the SQLSTATE for a text that is not recognized; it may return none.
    """
    cause = describe(error)
    more = next((advice for sign, advice in _EXHAUSTED.items() if sign in cause), None)
    if more is not None:
        return ConnectionsExhausted("connect to", thing, cause, advice=more)
    advice = next((advice for sign, advice in _NEVER_CONNECTS.items() if sign in cause), None)
    if advice is not None or isinstance(error, psycopg.ProgrammingError):
        return ConfigurationError("connect to", thing, cause, advice or "")
    state = "" if isinstance(error, sqlstates.ConnectionTimeout) else find_state(str(error))
    if state == _NO_CONNECTION_LEFT:
        return ConnectionsExhausted("connect to", thing, cause, _ANY_LIMIT)
    if state in _REFUSED_STATES:
        return ConfigurationError("connect to", thing, cause, _REFUSED_STATES[state])
    return StoreUnavailable("connect to", thing, cause)


def translate_url(error: psycopg.ProgrammingError) -> ConfigurationError:
    """Return Puppylog's error for a URL that libpq does not understand, without the password that the URL may hold."""
    cause = " ".join(str(error).split())
    if not _NAMES_A_PARAMETER.fullmatch(cause):
        cause = _QUOTED.sub(lambda quoted: quoted[0] if len(quoted[0]) == 3 else '"…"', cause)
    return ConfigurationError("read", "the store's URL", cause, "write postgresql://user@host:port/database")


def describe(error: psycopg.Error) -> str:
    """Return the primary message of the error on one line, without its position in the statement and its hints."""
    primary = error.diag.message_primary
    text = " ".join((primary or str(error) or type(error).__name__).split())
    # libpq repeats the message, with the address before it, for each address that it tried. The last one is kept.
    for sign in ("FATAL: ", "FEHLER: "):
        if sign in text:
            text = text.split(sign)[-1].strip()
    text = text.removeprefix("connection failed: ").removeprefix("connection is bad: ")
    for chatter in (" Is the server running ", " This probably means ", " DETAIL: "):
        text = text.split(chatter)[0]
    return text.removesuffix(".")
