"""Connects to the server, and waits for its first answer, with Puppylog's errors for what goes wrong."""

from collections.abc import Mapping
from typing import Any, Final, cast

import psycopg

from puppylog.stores.postgres.sessions.failures import ConnectionsExhausted, translate_connect
from puppylog.stores.postgres.sessions.pooler import FIRST_ANSWER_S, find_server_process
from puppylog.stores.postgres.sessions.refusal import find_refusal

# Parameters of libpq that a URL may override. With them, a host that is gone is noticed within a minute.
DEFAULTS: Final[Mapping[str, str]] = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",  # for data that is not acknowledged; meanwhile no keepalives are sent
    "client_encoding": "UTF8",
}


def connect(url: str, application: str, defaults: Mapping[str, str], name: str) -> "psycopg.Connection[Any]":
    """Return a connection.

    Args:
        url: the URL of the store.
        application: the name that the server shows for the connection.
        defaults: parameters of libpq that the URL does not give.
        name: the store, for messages.

    Raises:
        ConfigurationError: the server refuses the connection for a reason that a retry does not cure.
        StoreUnavailable: the server does not answer, or has no connection left.
    """
    try:
        return psycopg.Connection.connect(
            url,
            autocommit=True,
            fallback_application_name=application,
            cursor_factory=psycopg.RawCursor,
            **cast("dict[str, Any]", defaults),
        )
    except psycopg.Error as error:
        raise translate_connect(error, name, lambda text: find_refusal(url, defaults, text)) from None


def get_server_process(connection: "psycopg.Connection[Any]", name: str) -> int:
    """Return the number of the server process that serves a new connection.

    Raises:
        StoreUnavailable: the connection is lost, or a pooler has no session left for it.
    """
    try:
        process = find_server_process(connection)
    except psycopg.Error as error:
        raise translate_connect(error, name) from None
    if process is None:
        raise ConnectionsExhausted(
            "connect to",
            name,
            f"the connection is accepted, but the first query has no answer after {FIRST_ANSWER_S:g} s",
            advice="if a pooler is in front of the server, its default_pool_size or max_db_connections may be small",
        )
    return process
