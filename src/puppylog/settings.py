"""Settings: flags > environment > file > defaults, read once, into one frozen value.

The command line passes what was given as a flag or as a variable ``PUPPYLOG_<FLAG>``. This module adds the files and
the defaults. Only the command line and this module read the environment; other modules get `Settings`.
"""

import os
import pwd
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from puppylog.errors import ConfigurationError

SYSTEM_FILE: Final = Path("/etc/puppylog/config.toml")
COLORS: Final = ("auto", "always", "never")
OUTPUTS: Final = ("table", "json", "jsonl", "csv", "parquet", "arrow")
_KEYS: Final[Mapping[str, type]] = {"store": str, "color": str, "output": str, "tz": str, "host": str, "quiet": bool}
TIMEOUT_S: Final = 60.0
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"color": COLORS, "output": OUTPUTS}


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that all commands share."""

    store: str  # the store's URL
    color: bool | None  # None: only where the output is a terminal
    output: str  # one of OUTPUTS
    zone: tzinfo | None  # of times that people read, or type without an offset; None is the zone of this machine
    host: str  # the name of this machine in a store that several machines share
    quiet: bool
    timeout_s: float = TIMEOUT_S  # the longest time that a query of sql, logs and doctor may take
    data_zone: tzinfo | None = UTC  # of times that programs read, and of log lines without an offset; None as above
    zone_name: str = ""  # how a table calls the zone; empty if it is the zone of this machine
    clock: Callable[[], datetime] = utc_now  # returns the current time


def read_settings(
    given: Mapping[str, object], environ: Mapping[str, str], clock: Callable[[], datetime] = utc_now
) -> Settings:
    """Return the settings.

    Args:
        given: the values of flags and of ``PUPPYLOG_*`` variables, by key. They take precedence over every file.
        environ: the environment, for the XDG directories, ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM``.
        clock: returns the current time.

    Raises:
        ConfigurationError: a file cannot be read, or has an unknown key or an invalid value.
    """
    values = _read_files(environ) | dict(given)
    zone = str(values.get("tz", ""))
    return Settings(
        store=str(values.get("store") or default_store(environ)),
        color=_choose_color(str(values.get("color", "auto")), environ),
        output=str(values.get("output", "table")),
        zone=find_zone(zone or "local"),
        host=str(values.get("host") or os.uname().nodename),
        quiet=bool(values.get("quiet", False)),
        timeout_s=float(str(values.get("timeout", TIMEOUT_S))),
        data_zone=find_zone(zone or "UTC"),
        zone_name="" if zone.lower() == "local" else zone,
        clock=clock,
    )


def default_store(environ: Mapping[str, str]) -> str:
    """Return the URL of the embedded store in the user's data directory.

    Raises:
        ConfigurationError: the user has no home directory.
    """
    data = _xdg(environ, "XDG_DATA_HOME", ".local/share")
    if data is None:
        raise ConfigurationError(
            "find",
            "a place for the store",
            f"HOME is not set, and user {os.geteuid()} has no home directory",
            advice="set HOME, or name a store with --store duckdb:///some/directory",
        )
    return f"duckdb://{quote(os.fsencode(data / 'puppylog'))}"


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Return Puppylog's directory for files that may be deleted at any time.

    Raises:
        ConfigurationError: the user has no home directory.
    """
    cache = _xdg(environ, "XDG_CACHE_HOME", ".cache")
    if cache is None:
        raise ConfigurationError(
            "find",
            "the cache directory",
            f"HOME is not set, and user {os.geteuid()} has no home directory",
            advice="set HOME or XDG_CACHE_HOME",
        )
    return cache / "puppylog"


def find_zone(name: str) -> tzinfo | None:
    """Return the time zone called ``name``, or None for ``local``: `datetime.astimezone` takes None for local time.

    Raises:
        ConfigurationError: no time zone has that name.
    """
    if name.lower() == "local":
        return None
    if name.upper() in {"UTC", "Z"}:
        return UTC  # works without a time zone database
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            "use", f"time zone {name!r}", advice="write UTC, local, or a name such as Europe/Berlin"
        ) from error


def _choose_color(choice: str, environ: Mapping[str, str]) -> bool | None:
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return True if environ.get("FORCE_COLOR") else None


def _read_files(environ: Mapping[str, str]) -> dict[str, object]:
    """Return the values in the files. For each key, the user's file takes precedence over the system's."""
    folder = _xdg(environ, "XDG_CONFIG_HOME", ".config")
    return _read_file(SYSTEM_FILE) | ({} if folder is None else _read_file(folder / "puppylog" / "config.toml"))


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path | None:
    """Return the directory in ``variable``, or else ``below_home`` in the user's home; None if there is no home."""
    # The XDG specification says that a relative path is to be ignored.
    named = Path(environ.get(variable, ""))
    if named.is_absolute():
        return named
    home = _find_home(environ)
    return None if home is None else home / below_home


def _find_home(environ: Mapping[str, str]) -> Path | None:
    """Return the user's home directory, from HOME or the system's list of users; None for a user without one."""
    home = Path(environ.get("HOME", ""))
    if not home.is_absolute():
        try:
            home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
        except KeyError:
            return None
    return home if home.is_absolute() else None


def _read_file(path: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigurationError("read", str(path), error.strerror or str(error)) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigurationError("read", str(path), str(error)) from error
    for key, value in values.items():
        _check_value(path, key, value)
    return values


def _check_value(path: Path, key: str, value: object) -> None:
    if key not in _KEYS:
        raise ConfigurationError("use", str(path), f"unknown key {key!r}", advice=f"known are {', '.join(_KEYS)}")
    wanted = _KEYS[key]
    if type(value) is not wanted:
        article = {"str": "a string", "bool": "true or false"}[wanted.__name__]
        raise ConfigurationError("use", str(path), f"{key} must be {article}, not {value!r}")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise ConfigurationError("use", str(path), f"{key} must be one of {', '.join(_CHOICES[key])}, not {value!r}")
    if key == "tz":
        try:
            find_zone(str(value))
        except ConfigurationError as error:
            raise ConfigurationError("use", str(path), f"tz: {error.message}") from error
