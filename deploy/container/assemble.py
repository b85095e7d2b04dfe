"""Makes the root of the image: ``assemble.py SITE ROOT``. Runs in the image's build, on Linux.

The root has the running interpreter, the part of its standard library that programs use, the packages in SITE, the
shared libraries that all of these are linked with, certificates, time zones, and nothing else: no shell, no package
manager. Modules are compiled here, because the image is read-only when it runs.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from trim import trim

USER: Final = 65532
"""Runs the program, unless the container is given another user. Both have the group 0, and write where it may."""

_STDLIB_UNUSED: Final = (
    *("test", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "lib2to3", "pydoc_data", "config-*"),
    *("site-packages", "dist-packages", "__pycache__", "*/test", "*/tests", "distutils", "LICENSE.txt"),
    *("unittest", "doctest.py", "xmlrpc", "mailbox.py", "imaplib.py"),
    # Encodings that no format reads, and modules that bring libraries of their own: Tk, Berkeley DB, NIS with Kerberos,
    # terminals, SQLite.
    *(
        f"lib-dynload/{name}*"
        for name in ("_test", "_codecs_", "_tkinter", "_dbm", "_gdbm", "nis", "_curses", "readline", "_sqlite3")
    ),
    *("curses", "dbm", "sqlite3"),
)
# Of packages: stubs for type checkers, and an interface of DuckDB that looks like Spark's.
_PACKAGES_UNUSED: Final = ("*-stubs", "**/*.pyi", "**/*.pyx", "duckdb/experimental")
_LINKED: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
_LAUNCHER: Final = "#!{python}\nimport sys\nfrom puppylog.cli.main import main\nsys.exit(main())\n"


def copy_interpreter(root: Path) -> None:
    """Copy the interpreter and its standard library to the paths that they have here."""
    python = Path(sys.executable).resolve()
    _copy(python, root)
    stdlib = Path(sysconfig.get_path("stdlib"))
    _copy(stdlib, root)
    _delete(_below(root, stdlib), _STDLIB_UNUSED)


def copy_packages(site: Path, root: Path) -> None:
    """Copy the packages to where the interpreter finds them, and write the program ``puppylog``."""
    trim(site)
    _delete(site, _PACKAGES_UNUSED)
    target = _below(root, Path(sysconfig.get_path("purelib")))
    shutil.copytree(site, target, ignore=shutil.ignore_patterns("__pycache__", "bin"), dirs_exist_ok=True)
    program = root / "usr" / "bin" / "puppylog"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(_LAUNCHER.format(python=Path(sys.executable).resolve()), encoding="utf-8")
    program.chmod(0o755)


def copy_libraries(root: Path) -> None:
    """Copy the libraries of the system that programs and modules in the root are linked with, and strip symbols."""
    wanted: set[Path] = set()
    for binary in list(_iter_binaries(root)):
        listed = subprocess.run(["ldd", str(binary)], check=False, capture_output=True, text=True).stdout  # noqa: S607 - the image's own ldd
        wanted |= {Path(found) for found in _LINKED.findall(listed) if not found.startswith(f"{root}/")}
    for library in sorted(wanted):
        target = _below(root, library)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, target)
    for binary in _iter_binaries(root):
        subprocess.run(["strip", "--strip-unneeded", str(binary)], check=False, stderr=subprocess.DEVNULL)  # noqa: S607 - as above; what cannot be stripped stays


def copy_data(root: Path) -> None:
    """Copy certificates and time zones, and write the files that name the user."""
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    _copy(certificates, root)
    zones = Path("/usr/share/zoneinfo")
    shutil.copytree(
        zones, _below(root, zones), symlinks=True, ignore=shutil.ignore_patterns("right", "posix", "*.tab", "leap*")
    )
    (root / "etc" / "passwd").write_text(
        f"root:x:0:0:root:/root:/sbin/nologin\npuppylog:x:{USER}:0:puppylog:/var/lib/puppylog:/sbin/nologin\n",
        encoding="ascii",
    )
    (root / "etc" / "group").write_text(f"root:x:0:\npuppylog:x:{USER}:\n", encoding="ascii")
    (root / "etc" / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n", encoding="ascii")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    state = root / "var" / "lib" / "puppylog"
    state.mkdir(parents=True)
    os.chown(state, USER, 0)
    state.chmod(0o770)


def compile_modules(root: Path) -> None:
    """Compile all modules, and delete their sources, which are 29 MB. A traceback still has files and line numbers."""
    folders = [_below(root, Path(sysconfig.get_path(name))) for name in ("stdlib", "purelib")]
    command = [sys.executable, "-m", "compileall", "-qq", "-b", "-s", str(root), "-p", "/"]
    subprocess.run([*command, *map(str, folders)], check=True)
    for folder in folders:
        for source in folder.rglob("*.py"):
            if source.with_suffix(".pyc").exists():
                source.unlink()


def _delete(folder: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        for path in list(folder.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _copy(path: Path, root: Path) -> None:
    target = _below(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copy2(path, target)


def _below(root: Path, path: Path) -> Path:
    """Return the place in the root of a path of this system, through links of directories such as /lib."""
    return root / path.parent.resolve().relative_to("/") / path.name


def _iter_binaries(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def link_top(root: Path) -> None:
    """Make /lib, /lib64 and /bin links as here: programs name their loader by such a path."""
    for name in ("lib", "lib64", "bin"):
        link = Path("/", name)
        if link.is_symlink():
            (root / name).symlink_to(link.readlink())
            (root / link.readlink().as_posix().lstrip("/")).mkdir(parents=True, exist_ok=True)


def main() -> None:
    site, root = (Path(argument).resolve() for argument in sys.argv[1:3])
    root.mkdir(parents=True)
    link_top(root)
    copy_interpreter(root)
    copy_packages(site, root)
    copy_libraries(root)
    copy_data(root)
    compile_modules(root)


if __name__ == "__main__":
    main()
