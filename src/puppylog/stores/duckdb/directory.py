"""The directory of an embedded store: its files, its owner, and whether Puppylog may use it.

puppylog.json    says that this is a store, and of which layout
records.duckdb   the database; only the engine process opens it
last_commit      the number of the last commit, so that a database that has lost commits is noticed
damage.txt       what could not be read, until the whole database has been read without a fault
engine.sock      where the engine answers
engine.log       the engine's log
engine.lock      held by the engine
start.lock       held by the client that is starting the engine
clients.lock     shared by all clients; the engine ends when it can lock it exclusively
streams/claims   a lock per stream, held by the collector that follows it
spool/           batches that collectors hand to the engine, one folder per client
"""

import errno
import json
import os
import pwd
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from puppylog.errors import StoreForbidden, StoreFull, StoreRefused

LAYOUT = 1

# The kernel's limit for the path of a Unix socket is 108 bytes, 104 on some systems, with the final NUL.
_SOCKET_PATH_LIMIT = 100

# Paths of these characters stand for themselves in the URI by which gRPC finds a socket.
_PLAIN: Final = re.compile(r"[A-Za-z0-9/._+,=@~-]*")

# DuckDB resolves links itself, then puts its log next to the part before a question mark, and reads \ as /.
_MISREAD: Final = re.compile(r"[?\\]")

# A link to the store, in a folder of the temporary directory that begins with the number of the process.
_LINK: Final = "s"
_LINK_FOLDER: Final = re.compile(r"puppylog-(?P<pid>[1-9][0-9]{0,9})-.+")

# Names of this process's open files, by which the kernel resolves a path that begins with one of them.
_OPEN_FILES: Final = Path("/proc/self/fd")


class StoreDirectory:
    """The paths of one store. Making the value touches nothing; `prepare` does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.marker = path / "puppylog.json"
        self.database = path / "records.duckdb"
        self.write_ahead_log = path / "records.duckdb.wal"
        self.last_commit = path / "last_commit"
        self.damage = path / "damage.txt"
        self.socket = path / "engine.sock"
        self.log = path / "engine.log"
        self.engine_lock = path / "engine.lock"
        self.start_lock = path / "start.lock"
        self.clients_lock = path / "clients.lock"
        self.streams = path / "streams"
        self.spool = path / "spool"

    def prepare(self) -> None:
        """Make the directory if it is missing, and refuse one that is no store of this user and version.

        Raises:
            StoreForbidden: it is another user's, or the user may not write there.
            StoreRefused: it is no directory, full of other things, of a newer layout, or of a name
                that DuckDB would read as another one.
            StoreFull: there is no disk space to make it.
        """
        self._refuse_misread_paths()
        try:
            for parent in reversed(self.path.parents):  # `parents=True` would leave their mode to the umask
                if not parent.exists():
                    parent.mkdir(mode=0o700, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            self._refuse_strangers()
            self.path.chmod(0o700)
            if not self.marker.exists():  # written first: a directory with files and no marker is no store
                write_whole(self.marker, json.dumps({"puppylog_store": LAYOUT}) + "\n")
            self.streams.mkdir(mode=0o700, exist_ok=True)
            self.spool.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise refuse(self.path, error) from None

    def _refuse_misread_paths(self) -> None:
        misread = _MISREAD.search(str(self.path))
        if misread is not None:
            raise StoreRefused(
                "open",
                f"store {self.path}",
                f"DuckDB does not read {misread[0]!r} in a path as part of a name",
                advice="name a directory without it",
            )

    def _refuse_strangers(self) -> None:
        status = self.path.stat()
        if status.st_uid != os.geteuid():
            raise StoreForbidden("open", f"store {self.path}", f"it belongs to {_user_name(status.st_uid)}, not to you")
        # Listed before the marker is looked for, because another process may be making the store at this moment.
        others = [path for path in self.path.iterdir() if not path.name.startswith(self.marker.name)]
        if self.marker.exists():
            self._refuse_other_layouts()
        elif others:
            raise StoreRefused(
                "open", f"store {self.path}", "it holds other files and no store", advice="name another directory"
            )

    def _refuse_other_layouts(self) -> None:
        try:
            layout = json.loads(self.marker.read_text(encoding="utf-8"))["puppylog_store"]
        except (ValueError, KeyError, TypeError):
            raise StoreRefused("open", f"store {self.path}", f"{self.marker.name} in it is not readable") from None
        if layout != LAYOUT:
            raise StoreRefused(
                "open",
                f"store {self.path}",
                f"its layout is {layout}, this Puppylog knows {LAYOUT}",
                advice="use a newer one",
            )

    @contextmanager
    def reachable(self) -> Iterator[Path]:
        """Give a path to the directory that every library takes, for as long as it is used.

        The directory's own path may be too long for a socket, and may hold bytes that mean something else in gRPC's
        URIs or that are no text at all.
        """
        if len(os.fsencode(self.socket)) <= _SOCKET_PATH_LIMIT and _PLAIN.fullmatch(str(self.path)):
            yield self.path
            return
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            opened = _OPEN_FILES / str(directory)
            if opened.exists():
                yield opened
                return
            # A system, or a jail, without /proc.
            _sweep_links()
            with tempfile.TemporaryDirectory(prefix=f"puppylog-{os.getpid()}-") as short:
                link = Path(short) / _LINK
                link.symlink_to(self.path)
                yield link
        finally:
            os.close(directory)

    @contextmanager
    def reachable_socket(self) -> Iterator[str]:
        """Give a path to the socket that every library takes, for as long as it is used."""
        with self.reachable() as path:
            yield str(path / self.socket.name)


def _sweep_links() -> None:
    """Remove the links of processes that were killed. A process number that is in use again only puts it off."""
    for folder in Path(tempfile.gettempdir()).glob("puppylog-*-*"):
        made_by = _LINK_FOLDER.fullmatch(folder.name)
        with suppress(OSError):  # another process removes it at the same time, or something else is in it
            if made_by and folder.lstat().st_uid == os.geteuid() and not is_alive(int(made_by["pid"])):
                (folder / _LINK).unlink(missing_ok=True)
                folder.rmdir()


def is_alive(pid: int) -> bool:
    """Return whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def refuse(path: Path, error: OSError) -> StoreRefused | StoreFull:
    """Return Puppylog's error for an ``OSError`` on a store's own files."""
    cause = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFull("write to", f"store {path}", cause)
    if error.errno in (errno.EACCES, errno.EPERM):
        return StoreForbidden("open", f"store {path}", cause)
    return StoreRefused("open", f"store {path}", cause)


def open_private(path: str, flags: int) -> int:
    """Open a file for `open`, so that only its owner can read it if it is new, whatever the umask is."""
    return os.open(path, flags, 0o600)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that no process ever reads half of it."""
    half = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    with open(half, "w", encoding="utf-8", opener=open_private) as file:
        file.write(text)
    half.replace(path)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
