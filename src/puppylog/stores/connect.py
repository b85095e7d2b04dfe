"""From a URL to a connected store."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from puppylog.errors import ConfigurationError
from puppylog.stores.base import Store
from puppylog.stores.duckdb.client import DuckdbStore
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.duckdb.launch import stop_engine


def connect(url: str) -> Store:
    """Connect to the store at ``url``; the embedded one is made if it is missing.

    Raises:
        ConfigurationError: it is not the URL of a store, or the store is not ours (`StoreRefused`).
        StoreUnavailable: it does not answer.
    """
    return DuckdbStore(parse_duckdb_url(url))


def stop(url: str) -> bool:
    """Stop the engine of the embedded store at ``url``; return whether one was running.

    Raises:
        UsageError: somebody uses it.
        ConfigurationError: it is not the URL of an embedded store.
    """
    return stop_engine(StoreDirectory(parse_duckdb_url(url)))


def parse_duckdb_url(url: str) -> Path:
    """Return the directory that ``duckdb:///path`` names.

    Raises:
        ConfigurationError: it names none.
    """
    parts = urlsplit(url)
    if parts.scheme in ("postgresql", "postgres"):
        raise ConfigurationError(
            f"cannot open store {parts.scheme}://{parts.hostname or ''}: this version knows the embedded store only (duckdb:///path)"
        )
    if parts.scheme != "duckdb":
        raise ConfigurationError(f"cannot open store {url!r}: write duckdb:///path/of/a/directory")
    if parts.netloc or not parts.path.startswith("/"):
        raise ConfigurationError(
            f"cannot open store {url!r}: the path must be absolute, as in duckdb:///var/lib/puppylog"
        )
    return Path(unquote(parts.path))
