"""The service of systemd: the unit is written, checked by systemd's own tools where they are installed, and deleted."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from puppylog.cli import systemd_unit
from puppylog.cli.systemd_unit import make_unit
from support.inprocess import InProcess
from support.refusals import assert_refused

DEPLOYED = Path(__file__).parents[2] / "deploy" / "systemd" / "puppylog.service"
ANALYZE = shutil.which("systemd-analyze")
MAX_EXPOSED = 2.0

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="NOT TESTED: units; systemd-analyze is not installed")


class Systemd:
    """The directories of units and configuration files, and a systemctl that notes its arguments."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.unit = directory / "system" / "puppylog.service"
        self.user_unit = directory / "home" / ".config" / "systemd" / "user" / "puppylog.service"
        self.config = directory / "config.toml"
        self.config.write_text('store = "duckdb:///var/lib/puppylog"\n', encoding="utf-8")
        self._calls = directory / "calls"
        self.program = directory / "bin" / "systemctl"
        self.program.parent.mkdir()
        self.answer("exit 0")

    def answer(self, script: str) -> None:
        """Let systemctl run these lines of shell after it has noted its arguments."""
        self.program.write_text(f'#!/bin/sh\necho "$*" >> {self._calls}\n{script}\n', encoding="utf-8")
        self.program.chmod(0o755)

    def calls(self) -> list[str]:
        return self._calls.read_text(encoding="utf-8").splitlines() if self._calls.exists() else []


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    for name in [name for name in os.environ if name.startswith(("PUPPYLOG_", "XDG_"))]:
        monkeypatch.delenv(name)
    systemd = Systemd(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{systemd.program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(systemd_unit, "_SYSTEM_UNITS", systemd.unit.parent)
    monkeypatch.setattr(systemd_unit, "SYSTEM_FILE", systemd.config)
    monkeypatch.setattr(systemd_unit, "HIDDEN", ())  # the tests themselves may be in one of these directories
    return systemd


@pytest.fixture
def puppylog(systemd: Systemd, capsys: pytest.CaptureFixture[str]) -> InProcess:
    del systemd  # commands must not write the units of this machine
    return InProcess(capsys)


def test_the_service_of_the_system_is_installed_once_and_the_commands_that_start_it_are_shown(
    systemd: Systemd, puppylog: InProcess
) -> None:
    first, second = puppylog("service", "install"), puppylog("service", "install")
    start = (
        "puppylog: start it with: systemctl daemon-reload && systemctl enable puppylog.service "
        "&& systemctl restart puppylog.service\n"
    )
    assert (first.code, first.err) == (0, f"puppylog: wrote {systemd.unit}\n{start}")
    assert (second.code, second.err) == (0, f"puppylog: nothing to change in {systemd.unit}\n{start}")
    program = Path(sys.executable).with_name("puppylog")
    assert systemd.unit.read_text(encoding="utf-8") == make_unit(program, systemd.config, is_user=False)
    assert systemd.calls() == []


def test_a_service_is_installed_and_uninstalled_at_once(systemd: Systemd, puppylog: InProcess) -> None:
    assert puppylog("service", "install", "--now").code == 0
    assert systemd.calls() == ["daemon-reload", "enable puppylog.service", "restart puppylog.service"]
    removed = puppylog("service", "uninstall", "--now")
    assert (removed.code, removed.err) == (
        0,
        f"puppylog: deleted {systemd.unit}; the store and the configuration file stay\n",
    )
    assert systemd.calls()[3:] == ["disable --now puppylog.service", "daemon-reload"]
    assert not systemd.unit.exists()
    assert systemd.config.exists()


def test_a_user_has_a_service_and_a_configuration_of_its_own(systemd: Systemd, puppylog: InProcess) -> None:
    config = systemd.directory / "home" / ".config" / "puppylog" / "config.toml"
    assert_refused(puppylog("service", "install", "--user"), 78, f"cannot read {config}: ", "o such file")
    config.parent.mkdir(parents=True)
    config.touch()  # a user has a default store
    assert puppylog("service", "install", "--user", "--now").code == 0
    assert f"up --config {config}\n" in systemd.user_unit.read_text(encoding="utf-8")
    assert systemd.calls()[-1] == "--user restart puppylog.service"
    assert puppylog("service", "uninstall", "--user", "--now").code == 0
    assert not systemd.user_unit.exists()


def test_a_dry_run_prints_the_unit_and_writes_nothing(systemd: Systemd, puppylog: InProcess) -> None:
    named = systemd.directory / "named 100%.toml"
    named.write_text('store = "postgresql://web1/logs"\n', encoding="utf-8")
    ran = puppylog("service", "install", "--dry-run", "--now", "--config", str(named))
    assert (ran.code, ran.err) == (0, "")
    assert f'up --config "{systemd.directory}/named 100%%.toml"\n' in ran.out
    assert not systemd.unit.exists()
    assert systemd.calls() == []


def test_the_unit_of_an_earlier_version_is_replaced_and_the_unit_of_somebody_else_is_not(
    systemd: Systemd, puppylog: InProcess
) -> None:
    systemd.unit.parent.mkdir()
    systemd.unit.write_text("# Puppylog as a service of the system, long ago\n", encoding="utf-8")
    assert puppylog("service", "install").err.startswith(f"puppylog: replaced {systemd.unit}\n")
    systemd.unit.write_text("[Service]\nExecStart=/usr/bin/puppylog up\n", encoding="utf-8")
    assert_refused(puppylog("service", "install"), 2, f"{systemd.unit} exists, and is another unit")
    assert_refused(puppylog("service", "uninstall"), 2, f"{systemd.unit} is not a unit that puppylog service install")
    assert "ExecStart=/usr/bin/puppylog up" in systemd.unit.read_text(encoding="utf-8")


def test_a_service_that_is_enabled_is_not_uninstalled_without_now(systemd: Systemd, puppylog: InProcess) -> None:
    assert_refused(puppylog("service", "uninstall"), 2, f"cannot uninstall the service: there is no {systemd.unit}")
    assert puppylog("service", "install").code == 0
    link = systemd.unit.parent / "multi-user.target.wants" / systemd.unit.name
    link.parent.mkdir()
    link.symlink_to(systemd.unit)
    assert_refused(puppylog("service", "uninstall"), 2, "it is enabled; run 'systemctl disable --now puppylog.service'")
    link.unlink()
    ran = puppylog("service", "uninstall")
    assert (ran.code, ran.err.splitlines()[1]) == (0, "puppylog: tell systemd: systemctl daemon-reload")


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("color = 'never'\n", 78, ["names no store", 'write store = "duckdb:///var/lib/puppylog" into it']),
        ("stoer = 'duckdb:///var/lib/puppylog'\n", 78, ["unknown key 'stoer'"]),
        ("store = \n", 78, ["cannot read "]),
    ],
)
def test_a_service_whose_configuration_is_wrong_is_not_installed(
    systemd: Systemd, puppylog: InProcess, content: str, code: int, words: list[str]
) -> None:
    systemd.config.write_text(content, encoding="utf-8")
    assert_refused(puppylog("service", "install", "-c", str(systemd.config)), code, str(systemd.config), *words)
    assert not systemd.unit.exists()


def test_a_service_takes_its_store_from_the_configuration_only(puppylog: InProcess) -> None:
    refused = puppylog("service", "install", "--store", "duckdb:///elsewhere")
    assert_refused(refused, 2, "cannot use --store: the service uses the store that its configuration file names")


def test_a_program_or_a_file_that_the_service_cannot_see_is_refused(
    systemd: Systemd, puppylog: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd_unit, "HIDDEN", (Path(sys.executable).parent,))
    refused = puppylog("service", "install")
    assert_refused(refused, 2, "cannot install the service: it cannot read ", "install Puppylog for all users")
    monkeypatch.setattr(systemd_unit, "HIDDEN", (systemd.directory,))
    refused = puppylog("service", "install")
    assert_refused(refused, 2, f"it cannot read {systemd.config}", "move it, for example to ")
    assert puppylog("service", "install", "--user", "-c", str(systemd.config)).code == 0


def test_what_systemctl_says_when_it_fails_is_passed_on(
    systemd: Systemd, puppylog: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd.answer("echo 'Failed to connect to bus' >&2; exit 1")
    refused = puppylog("service", "install", "--now", "-q")
    assert_refused(refused, 2, "cannot run systemctl daemon-reload: Failed to connect to bus")
    monkeypatch.setenv("PATH", str(systemd.directory))
    assert_refused(puppylog("service", "install", "--now", "-q"), 2, "cannot run systemctl daemon-reload: ")


def test_a_directory_that_cannot_be_written_is_named(systemd: Systemd, puppylog: InProcess) -> None:
    systemd.unit.parent.write_text("a file", encoding="utf-8")
    refused = puppylog("service", "install")
    assert refused.code == 2
    assert refused.err.startswith("puppylog: cannot ")
    assert str(systemd.unit) in refused.err


def test_the_unit_for_packages_is_the_one_that_is_installed() -> None:
    made = make_unit(Path("/usr/bin/puppylog"), Path("/etc/puppylog/config.toml"), is_user=False)
    assert DEPLOYED.read_text(encoding="utf-8") == made


@needs_systemd
def test_the_exposure_of_the_service_of_the_system_is_low() -> None:
    done = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", "--no-pager", str(DEPLOYED)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for puppylog\.service: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= MAX_EXPOSED


@needs_systemd
@pytest.mark.parametrize("is_user", [False, True])
def test_systemd_accepts_the_units(systemd: Systemd, *, is_user: bool) -> None:
    program = systemd.directory / "a program 100%" / "puppylog"
    program.parent.mkdir()
    shutil.copy(systemd.program, program)
    unit = systemd.directory / "puppylog.service"
    unit.write_text(make_unit(program, systemd.config, is_user=is_user), encoding="utf-8")
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(systemd.directory)}
    manager = "--user" if is_user else "--system"
    command = [str(ANALYZE), manager, "verify", "--man=no", str(unit)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    about_it = [line for line in done.stderr.splitlines() if "puppylog" in line]
    assert (done.returncode, about_it) == (0, [])
