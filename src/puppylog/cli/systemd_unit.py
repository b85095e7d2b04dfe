"""The units of systemd that run Puppylog: their text, their path, and what would keep them from working."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from puppylog.errors import ConfigurationError, UsageError
from puppylog.settings import SYSTEM_FILE, find_config_directory

NAME: Final = "puppylog.service"

_SYSTEM_UNITS: Final = Path("/etc/systemd/system")
_WANTED_BY: Final = ("multi-user.target.wants", "default.target.wants")  # where `systemctl enable` puts a link
_MARK: Final = "# Puppylog as a service of "  # the beginning of every unit that `service install` writes

# The unit of the system sets ProtectHome= and PrivateTmp=, which hide these directories.
HIDDEN: Final = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - nothing is written there

_PLAIN: Final = re.compile(r"[A-Za-z0-9/._+,:=@~-]+")


def find_unit_path(environ: Mapping[str, str], *, is_user: bool) -> Path:
    """Return the path of the unit: in the directory of the system's administrator, or in the user's.

    Raises:
        ConfigurationError: the user has no home directory.
    """
    if not is_user:
        return _SYSTEM_UNITS / NAME
    return _find_user_directory(environ) / "systemd" / "user" / NAME


def find_config(environ: Mapping[str, str], *, is_user: bool) -> Path:
    """Return the usual path of the configuration file. Raises as `find_unit_path`."""
    return _find_user_directory(environ) / "puppylog" / "config.toml" if is_user else SYSTEM_FILE


def _find_user_directory(environ: Mapping[str, str]) -> Path:
    directory = find_config_directory(environ)
    if directory is None:
        raise ConfigurationError(
            "find", "a place for the service", f"user {os.geteuid()} has no home directory", advice="set HOME"
        )
    return directory


def find_program() -> Path:
    """Return the path of the program ``puppylog``: the one that was called, or else the one of this environment."""
    called = shutil.which(sys.argv[0])
    if called is not None and Path(called).name == "puppylog":
        return Path(called).absolute()
    return Path(sys.executable).absolute().with_name("puppylog")


def check_reachable(program: Path, config: Path) -> None:
    """Check that the service of the system can read the program and the configuration file.

    Raises:
        UsageError: one of them, or Python, is in a directory that the unit hides.
    """
    installed = "install Puppylog for all users, as docs/operations.md says, or give --user"
    for path, advice in (
        (program, installed),
        (program.resolve(), installed),
        (Path(sys.prefix).resolve(), installed),
        (Path(sys.base_prefix).resolve(), installed),
        (config, f"move it, for example to {SYSTEM_FILE}, or give --user"),
        (config.resolve(), f"move it, for example to {SYSTEM_FILE}, or give --user"),
    ):
        hidden = next((directory for directory in HIDDEN if path.is_relative_to(directory)), None)
        if hidden is not None:
            raise UsageError("install", "the service", f"it cannot read {path}, which is in {hidden}", advice)


def make_unit(program: Path, config: Path, *, is_user: bool) -> str:
    """Return the text of the unit.

    Args:
        program: the absolute path of ``puppylog``.
        config: the absolute path of the configuration file.
        is_user: whether the unit is for the service manager of a user.
    """
    name = "user.service" if is_user else "system.service"
    text = files("puppylog.cli").joinpath("units", name).read_text(encoding="utf-8")
    return text.replace("@PROGRAM@", quote_word(str(program))).replace("@CONFIG@", quote_word(str(config)))


def quote_word(text: str) -> str:
    r"""Return a word of a command line of a unit.

    >>> print(quote_word("/etc/puppylog/config.toml"), quote_word('/srv/50% "off"/$a.toml'))
    /etc/puppylog/config.toml "/srv/50%% \"off\"/$$a.toml"
    """
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def is_ours(text: str) -> bool:
    """Return whether `make_unit` has made the text of a unit, in this or in an earlier version."""
    return text.startswith(_MARK)


def find_enabling_link(unit: Path) -> Path | None:
    """Return the link that ``systemctl enable`` has made for a unit, or None if the unit is not enabled."""
    links = [unit.parent / folder / unit.name for folder in _WANTED_BY]
    return next((link for link in links if link.is_symlink()), None)


def systemctl(*arguments: str, is_user: bool) -> Sequence[str]:
    """Return a command of systemd's, for the system or for the user."""
    return ["systemctl", *(["--user"] if is_user else []), *arguments]
