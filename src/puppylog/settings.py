"""Settings: flags > environment > file > defaults, read once, into one frozen value.

The command line passes what was given as a flag or as a variable ``PUPPYLOG_<FLAG>``. This module adds the files and
the defaults. Only the command line and this module read the environment; other modules get `Settings`.
"""

import os
import pwd
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from puppylog.errors import ConfigurationError, PuppylogError
from puppylog.stores.address import StoreAddress
from puppylog.stores.connect import check_url

SYSTEM_FILE: Final = Path("/etc/puppylog/config.toml")
COLORS: Final = ("auto", "always", "never")
OUTPUTS: Final = ("table", "json", "jsonl", "csv", "parquet", "arrow")
TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """A setting that may stand at the top of a configuration file."""

    type: type[str] | type[bool]
    description: str
    default: str = ""  # for people; empty if the description says it
    choices: tuple[str, ...] = ()


KEYS: Final[Mapping[str, Key]] = {
    "store": Key(
        str,
        "The store: duckdb:///directory, postgresql://host/database or https://host:7380. Default: in the user's data "
        "directory.",
    ),
    "token_file": Key(
        str,
        "A file with the token for a store at https://…; the variable PUPPYLOG_TOKEN, with the token itself, takes "
        "precedence.",
    ),
    "ca_file": Key(
        str,
        "A file with CA certificates to trust for a store at https://…, in addition to those of the system.",
    ),
    "host": Key(
        str, "The name of this machine in a store that several machines share. Default: the host name of the machine."
    ),
    "tz": Key(
        str,
        "The time zone of printed times and of times without an offset: UTC, local, or Area/City. Default: local in "
        "tables, UTC in output for programs and in log lines.",
    ),
    "color": Key(str, "Whether output is coloured; auto: only on a terminal.", "auto", COLORS),
    "output": Key(str, "The format of the data that commands print.", "table", OUTPUTS),
    "quiet": Key(bool, "Whether commands print only data and errors.", "false"),
}
"""The settings that may stand at the top of a configuration file."""

TABLES: Final = ("include", "source", "metric", "alert", "contact", "silence", "retention", "listen")
"""Other names at the top of a configuration file, which `puppylog.config` reads."""


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that all commands share."""

    store: StoreAddress
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
    values: dict[str, object] = {}
    for path in find_files(given, environ):  # for each key, the user's file takes precedence over the system's
        values |= _read_file(path)
    values |= read_variables(environ)
    values |= given
    zone = str(values.get("tz", ""))
    return Settings(
        store=StoreAddress(
            str(values.get("store") or default_store(environ)),
            token=environ.get("PUPPYLOG_TOKEN", ""),
            token_file=str(values.get("token_file", "")),
            ca_file=str(values.get("ca_file", "")),
        ),
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


def read_variables(environ: Mapping[str, str]) -> dict[str, object]:
    """Return the settings that have a variable and a key in the configuration file, but no flag."""
    variables = {"token_file": "PUPPYLOG_TOKEN_FILE", "ca_file": "PUPPYLOG_CA_FILE"}
    return {name: environ[variable] for name, variable in variables.items() if environ.get(variable)}


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
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few commands name a zone, and it takes 4 ms of CPU

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


def find_files(given: Mapping[str, object], environ: Mapping[str, str]) -> list[Path]:
    """Return the configuration files to read: the one that the user names, or else those that exist in their places.

    Args:
        given: the values of flags and of ``PUPPYLOG_*`` variables; ``config`` is the file.
        environ: the environment, for the XDG directory and for HOME.
    """
    if given.get("config"):
        return [Path(str(given["config"]))]
    folder = find_config_directory(environ)
    places = [SYSTEM_FILE] if folder is None else [SYSTEM_FILE, folder / "puppylog" / "config.toml"]
    return [place for place in places if not _is_missing(place)]


def find_config_directory(environ: Mapping[str, str]) -> Path | None:
    """Return the directory of the user's configuration files, or None if the user has no home directory."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config")


def find_format_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the directory of the user's format files, or None if the user has no home directory."""
    folder = find_config_directory(environ)
    return None if folder is None else folder / "puppylog" / "formats"


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # reading the file says why it cannot be read
    return False


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
    values = read_document(path)
    for fault in find_faults(path, values):
        raise fault
    return {key: value for key, value in values.items() if key in KEYS}


def read_document(path: Path) -> dict[str, Any]:
    """Return the values of a configuration file, as they are written.

    Raises:
        ConfigurationError: the file cannot be read, or is not TOML.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError("read", str(path), error.strerror or str(error)) from error
    import tomllib  # noqa: PLC0415 - few machines have such a file, and it takes 2 ms of CPU

    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("read", str(path), f"it is not UTF-8 (at line {line})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("read", str(path), str(error)) from error


def find_faults(path: Path, values: Mapping[str, object]) -> list[ConfigurationError]:
    """Return the faults of the settings at the top of a file, and its unknown names.

    Args:
        path: the file, for the messages.
        values: as `read_document` returns them.
    """
    causes = (_find_fault(key, value) for key, value in values.items())
    return [ConfigurationError("use", str(path), cause) for cause in causes if cause is not None]


def _find_fault(name: str, value: object) -> str | None:
    """Return what is wrong with a value at the top of a file; None if nothing is."""
    if name in TABLES:
        return None
    if name not in KEYS:
        return describe_unknown(name, [*KEYS, *TABLES])
    key = KEYS[name]
    if type(value) is not key.type:
        return f"{name} must be {'a string' if key.type is str else 'true or false'}, not {value!r}"
    if key.choices and value not in key.choices:
        return f"{name} must be one of {', '.join(key.choices)}, not {value!r}"
    try:
        if name == "tz":
            find_zone(str(value))
        elif name == "store":
            check_url(str(value))
    except PuppylogError as error:
        return f"{name}: {error.message}"
    return None


def describe_unknown(name: str, known: Collection[str], what: str = "key") -> str:
    """Return the cause of an unknown key, or another word, with the nearest known one or else all of them.

    >>> describe_unknown("treshold", ["threshold", "window"])
    "unknown key 'treshold' (did you mean 'threshold'?)"
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong file needs it

    nearest = get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(known)}"
    return f"unknown {what} {name!r} ({hint})"
