"""From a URL to a connected store. The client library of a kind of store is imported only to connect to that kind."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from puppylog.errors import ConfigurationError, UsageError
from puppylog.stores.address import StoreAddress, address_of, is_remote

if TYPE_CHECKING:  # Arrow, which it loads, takes longer than a command needs to begin with the engine
    from collections.abc import Callable

    from puppylog.stores.base import Store

_POSTGRESQL: Final = ("postgresql", "postgres")
_DUCKDB: Final = "duckdb"


def connect(store: str | StoreAddress, *, timeout_s: float | None = None) -> "Store":
    r"""Connect to a store. An embedded store is created if it does not exist.

    Args:
        store: its URL, ``duckdb:///path/of/a/directory``, ``postgresql://user@host/database`` or
            ``https://host:7380``, or its address, which has the token for a store at ``https://``.
        timeout_s: how many seconds a query may take; None for no limit.

    Raises:
        ConfigurationError: the URL is not that of a store, or the store is not Puppylog's (`StoreRefused`).
        StoreUnavailable: the store does not answer.

    A collector stores lines together with the position after them. A monitor queries them:

        >>> from tempfile import TemporaryDirectory
        >>> from puppylog.formats.registry import find_format
        >>> from puppylog.model.stream import EMPTY_FINGERPRINT, Move
        >>> from puppylog.stores.base import NewFile
        >>> data = b"level=info msg=started\nnot logfmt\n"
        >>> parsed = find_format("logfmt").open().parse(data, offset=0, read_at_us=0)
        >>> with TemporaryDirectory() as directory:
        ...     url = f"duckdb://{directory}/store"
        ...     with connect(url) as store:
        ...         [stream] = store.open_streams(["file:///var/log/app.log"])
        ...         [file] = store.open_files([NewFile(stream.stream_id, "/var/log/app.log", device=1, inode=2)])
        ...         appender = store.appender()
        ...         appender.write(stream.stream_id, file.file_id, parsed)
        ...         move = Move(file.file_id, 0, len(data), EMPTY_FINGERPRINT, finished=False)
        ...         appended = appender.commit([move])
        ...         answer = store.query("SELECT severity, message FROM puppylog.log_records").to_pylist()
        ...     stopped = stop(url)
        >>> appended.records, appended.rejects, stopped
        (1, 1, True)
        >>> answer
        [{'severity': 'info', 'message': 'started'}]
    """
    address = address_of(store)
    url = address.url
    if is_remote(url):
        from puppylog.stores.remote.store import RemoteStore  # noqa: PLC0415 - urllib3 is loaded for a remote store only

        return RemoteStore(address, timeout_s=timeout_s)
    if is_postgresql(url):
        from puppylog.stores.postgres.store import PostgresStore  # noqa: PLC0415 - libpq is loaded for a PostgreSQL store only

        return PostgresStore(url, timeout_s=timeout_s)
    from puppylog.stores.duckdb.client.store import DuckdbStore  # noqa: PLC0415 - Flight is loaded for an embedded store only

    return DuckdbStore(parse_duckdb_url(url), timeout_s=timeout_s)


def begin_engine(store: str | StoreAddress) -> "Callable[[], None]":
    """Begin to start the engine of an embedded store, so that a later `connect` has to wait less. Return at once.

    Nothing is done for other stores. A store that does not exist yet is not created: its engine waits for `connect`.

    Returns:
        A function that ends the engine if it still waits. Call it when the command ends.

    Raises:
        ConfigurationError: the URL is not that of a store.
    """
    url = address_of(store).url
    if is_postgresql(url) or is_remote(url):
        return lambda: None
    from puppylog.stores.duckdb.client import launch  # noqa: PLC0415 - as above

    path = parse_duckdb_url(url)
    launch.begin_engine(path)
    return lambda: launch.dismiss_engine(path)


def connect_running(store: str | StoreAddress, *, timeout_s: float | None = None) -> "Store | None":
    """Connect to a store, but start no engine and create no store; return None if no engine runs.

    Raises:
        ConfigurationError: see `connect`.
        StoreUnavailable: the store does not answer.
    """
    url = address_of(store).url
    if is_postgresql(url) or is_remote(url):
        return connect(store, timeout_s=timeout_s)
    from puppylog.stores.duckdb.client.launch import is_answering  # noqa: PLC0415 - as above
    from puppylog.stores.duckdb.client.store import DuckdbStore  # noqa: PLC0415 - as above
    from puppylog.stores.duckdb.directory import StoreDirectory  # noqa: PLC0415 - as above

    path = parse_duckdb_url(url)
    return DuckdbStore(path, timeout_s=timeout_s, starts_engine=False) if is_answering(StoreDirectory(path)) else None


def stop(url: str) -> bool:
    """Stop the engine of the embedded store at ``url``; return whether an engine was running.

    Raises:
        UsageError: a client uses the engine, or the store is PostgreSQL or behind a server and has no engine here.
        ConfigurationError: ``url`` is not the URL of a store.
    """
    if is_remote(url):
        raise UsageError(
            "stop", "the engine", "a remote store has none here; end 'puppylog up' on the server's machine"
        )
    if is_postgresql(url):
        raise UsageError("stop", "the engine", "a PostgreSQL store has none; its administrator runs the server")
    from puppylog.stores.duckdb.client.launch import stop_engine  # noqa: PLC0415 - as above
    from puppylog.stores.duckdb.directory import StoreDirectory  # noqa: PLC0415 - as above

    return stop_engine(StoreDirectory(parse_duckdb_url(url)))


def is_postgresql(url: str) -> bool:
    """Return whether ``url`` names a PostgreSQL store. libpq's environment gives the parts that ``url`` leaves out."""
    return url.partition("://")[0] in _POSTGRESQL


def name_store(url: str) -> str:
    """Return ``url`` without passwords, for messages."""
    if is_remote(url):
        from puppylog.stores.remote.url import parse_remote_url  # noqa: PLC0415 - as above

        return parse_remote_url(url)
    if not is_postgresql(url):
        return url
    from puppylog.stores.postgres.sessions.session import name_store as name  # noqa: PLC0415 - as above

    return name(url)


def check_url(url: str) -> None:
    """Check that a store may be at the URL, without connecting to it. The parts of PostgreSQL's URLs are not checked.

    Raises:
        ConfigurationError: the URL is not that of a store.
    """
    if is_remote(url):
        from puppylog.stores.remote.url import parse_remote_url  # noqa: PLC0415 - as above

        parse_remote_url(url)
    elif not is_postgresql(url):
        parse_duckdb_url(url)


def parse_duckdb_url(url: str) -> Path:
    """Return the directory that ``duckdb:///path`` names.

    The whole text after ``duckdb://`` is the path: such a URL has neither a query nor a fragment. ``%`` and two
    hexadecimal digits stand for a byte; every other character stands for itself, even a ``%`` without such digits.

    Raises:
        ConfigurationError: ``url`` is no such URL, or its path is not absolute.
    """
    scheme, separator, rest = url.partition(":")
    if not separator or scheme.lower() != _DUCKDB:
        # The message shows only the scheme, because the rest may contain a password.
        is_scheme = bool(separator) and scheme.isascii() and scheme.replace("+", "").isalnum()
        shown = f"{scheme}://…" if is_scheme else "of this name" if "=" in url else repr(url)
        raise ConfigurationError(
            "open",
            f"store {shown}",
            advice="write duckdb:///path/of/a/directory, postgresql://user@host/database or https://host:7380",
        )
    path = os.fsdecode(unquote_to_bytes(os.fsencode(rest.removeprefix("//"))))
    if not path.startswith("/") or "\0" in path:
        shown = "duckdb://…" if "@" in url else repr(url)  # a user may have written user:password@host
        raise ConfigurationError(
            "open", f"store {shown}", "the path must be absolute, as in duckdb:///var/lib/puppylog"
        )
    return Path(path)
