"""``puppylog service``: install Puppylog as a service of systemd, which runs ``puppylog up``, and uninstall it."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from puppylog.cli.given_options import given_options
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, is_flag_given, pass_settings, store_options
from puppylog.cli.systemd_unit import (
    check_reachable,
    find_config,
    find_enabling_link,
    find_program,
    find_unit_path,
    is_ours,
    make_unit,
    systemctl,
)
from puppylog.config.reading import read_configuration
from puppylog.errors import ConfigurationError, UsageError
from puppylog.settings import Settings, read_document

_user_option = click.option("--user", "is_user", is_flag=True, help="The service of this user, not of the system.")


@click.group()
def service() -> None:
    """Run Puppylog as a service of systemd.

    The service runs puppylog up with a configuration file. The page docs/operations.md says how to watch, upgrade and
    move it.
    """


@service.command(
    epilog=examples(
        "sudo puppylog service install --now",
        "puppylog service install --user --config ~/.config/puppylog/config.toml",
        "puppylog service install --dry-run > puppylog.service",
    )
)
@_user_option
@click.option("--now", is_flag=True, help="Also enable the service, and start it or start it again.")
@click.option("--dry-run", is_flag=True, help="Print the unit, and write nothing.")
@store_options
@pass_settings
@click.pass_context
def install(ctx: click.Context, settings: Settings, *, is_user: bool, now: bool, dry_run: bool) -> None:
    """Write the unit of the service.

    The unit is /etc/systemd/system/puppylog.service, or with --user systemd/user/puppylog.service in
    $XDG_CONFIG_HOME. The configuration file is that of --config, or /etc/puppylog/config.toml, or with --user
    puppylog/config.toml in $XDG_CONFIG_HOME. A unit of an earlier version is replaced. Then run the commands that are
    printed, or give --now.
    """
    if is_flag_given("store"):
        raise UsageError("use", "--store", "the service uses the store that its configuration file names")
    given = given_options(ctx).get("config")
    config = Path(str(given)).absolute() if given else find_config(os.environ, is_user=is_user)
    _check_config(config, is_user=is_user)
    program = find_program()
    if not is_user:
        check_reachable(program, config)
    unit = make_unit(program, config, is_user=is_user)
    if dry_run:
        sys.stdout.write(unit)
        return
    path = find_unit_path(os.environ, is_user=is_user)
    tell(settings, f"{_write(path, unit)} {path}")
    commands = [
        systemctl("daemon-reload", is_user=is_user),
        systemctl("enable", path.name, is_user=is_user),
        systemctl("restart", path.name, is_user=is_user),
    ]
    _run_or_tell(settings, "start it with: ", commands, now=now)


@service.command(epilog=examples("sudo puppylog service uninstall --now", "puppylog service uninstall --user --now"))
@_user_option
@click.option("--now", is_flag=True, help="Also stop the service and disable it, before the unit is deleted.")
@store_options
@pass_settings
def uninstall(settings: Settings, *, is_user: bool, now: bool) -> None:
    """Delete the unit of the service. The store and the configuration file stay."""
    path = find_unit_path(os.environ, is_user=is_user)
    if not is_ours(_read(path, "uninstall")):
        raise UsageError("uninstall", "the service", f"{path} is not a unit that puppylog service install has written")
    disable = systemctl("disable", "--now", path.name, is_user=is_user)
    if now:
        _run(disable)
    elif find_enabling_link(path) is not None:
        raise UsageError(
            "uninstall", "the service", "it is enabled", f"run '{shlex.join(disable)}' first, or give --now"
        )
    try:
        path.unlink()
    except OSError as error:
        raise UsageError("delete", str(path), error.strerror or str(error)) from error
    tell(settings, f"deleted {path}; the store and the configuration file stay")
    _run_or_tell(settings, "tell systemd: ", [systemctl("daemon-reload", is_user=is_user)], now=now)


def _check_config(config: Path, *, is_user: bool) -> None:
    """Check the configuration file, because the service would only fail later, and out of sight.

    Raises:
        ConfigurationError: the file cannot be read, is wrong, or names no store for the service of the system.
    """
    read_configuration([config])
    # The default store is in a home directory, and the user of the system's service has none.
    if not is_user and "store" not in read_document(config):
        raise ConfigurationError(
            "install", "the service", f"{config} names no store", 'write store = "duckdb:///var/lib/puppylog" into it'
        )


def _write(path: Path, unit: str) -> str:
    """Write the unit; return what was done.

    Raises:
        UsageError: the file cannot be written, or another program or person has written it.
    """
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = None
    except (OSError, ValueError) as error:
        raise UsageError("read", str(path), str(getattr(error, "strerror", None) or error)) from error
    if before == unit:
        return "nothing to change in"
    if before is not None and not is_ours(before):
        raise UsageError("install", "the service", f"{path} exists, and is another unit", "delete it first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "write", str(path), (error.strerror or str(error)).lower(), "run it with sudo, or give --user"
        ) from error
    return "wrote" if before is None else "replaced"


def _read(path: Path, verb: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(verb, "the service", f"there is no {path}") from None
    except (OSError, ValueError) as error:
        raise UsageError("read", str(path), str(getattr(error, "strerror", None) or error)) from error


def _run_or_tell(settings: Settings, what: str, commands: Sequence[Sequence[str]], *, now: bool) -> None:
    if now:
        for command in commands:
            _run(command)
    else:
        tell(settings, what + " && ".join(map(shlex.join, commands)))


def _run(command: Sequence[str]) -> None:
    """Run a command of systemd's.

    Raises:
        UsageError: it cannot be run, or fails; with the first line that it has printed.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError("run", shlex.join(command), error.strerror or str(error)) from error
    if done.returncode != 0:
        said = [*done.stderr.splitlines(), *done.stdout.splitlines()]
        raise UsageError("run", shlex.join(command), said[0] if said else f"exit code {done.returncode}")
