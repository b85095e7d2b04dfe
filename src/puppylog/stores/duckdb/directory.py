"""The directory of an embedded store: its files, its owner, and whether Puppylog may use it.

puppylog.json    marks the directory as a store, and gives the version of its layout
records.duckdb   the database; only the engine process opens it
last_commit      the number of the last commit; a database with a lower number has lost commits
damage.txt       DuckDB's message about damage; removed when the whole database has been read without a fault
engine.sock      the engine's socket
engine.log       the engine's log
engine.lock      held by the engine
start.lock       held by the client that is starting the engine
clients.lock     shared by all clients; the engine ends when it can lock it exclusively
sending.lock     held by the client that sends notifications
streams/claims   a lock per stream, held by the collector that follows it
spool/           batches that collectors hand to the engine, one folder per client
outgoing/        copies of the store on their way to a backup; only here may DuckDB write other databases
"""

import errno
import json
import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from puppylog.errors import StoreForbidden, StoreFull, StoreRefused

LAYOUT = 1

# The kernel's limit for the path of a Unix socket is 108 bytes, 104 on some systems, with the final NUL.
_SOCKET_PATH_LIMIT = 100

# A path that has only these characters needs no escapes in the URI by which gRPC finds a socket.
_PLAIN: Final = re.compile(r"[A-Za-z0-9/._+,=@~-]*")

# DuckDB reads \ in a path as /. It puts its log next to the part of the path before a question mark. It resolves links
# first, so a link without these characters does not help.
_MISREAD: Final = re.compile(r"[?\\]")

# A link to the store, in a folder of the temporary directory whose name contains the process number.
_LINK: Final = "s"
_LINK_FOLDER: Final = re.compile(r"puppylog-(?P<pid>[1-9][0-9]{0,9})-.+")

# A path below an entry of this folder starts at an open directory of this process: the kernel resolves it so.
_OPEN_FILES: Final = Path("/proc/self/fd")


class StoreDirectory:
    """The paths of one store. The constructor does not touch the disk; `prepare` does."""

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
        self.sending_lock = path / "sending.lock"
        self.streams = path / "streams"
        self.spool = path / "spool"
        self.outgoing = path / "outgoing"

    def prepare(self) -> None:
        """Create the directory if it does not exist. Otherwise check that it is a store of this user and version.

        Raises:
            StoreForbidden: the directory belongs to another user, or the user may not write there.
            StoreRefused: the path is not a directory, has other files or a newer layout, or has a name that DuckDB
                would misread.
            StoreFull: there is no disk space to create the directory.
        """
        self._refuse_misread_paths()
        try:
            for parent in reversed(self.path.parents):  # `parents=True` would leave their mode to the umask
                if not parent.exists():
                    parent.mkdir(mode=0o700, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            self._check_owner_and_files()
            self.path.chmod(0o700)
            if not self.marker.exists():  # written first: a directory with files and no marker is not a store
                self.mark()
            self.streams.mkdir(mode=0o700, exist_ok=True)
            self.spool.mkdir(mode=0o700, exist_ok=True)
            self.outgoing.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise translate_os_error(self.path, error) from None

    def check(self) -> None:
        """Check that an existing directory is a store of this user and version.

        Raises:
            StoreForbidden: the directory belongs to another user.
            StoreRefused: it has other files, or a newer layout.
        """
        try:
            self._check_owner_and_files()
        except OSError as error:
            raise translate_os_error(self.path, error) from None

    def mark(self) -> None:
        """Write the file that marks the directory as a store of this layout."""
        write_whole(self.marker, json.dumps({"puppylog_store": LAYOUT}) + "\n")

    def _refuse_misread_paths(self) -> None:
        misread = _MISREAD.search(str(self.path))
        if misread is not None:
            raise StoreRefused(
                "open",
                f"store {self.path}",
                f"DuckDB does not read {misread[0]!r} in a path as part of a name",
                advice="name a directory without it",
            )

    def _check_owner_and_files(self) -> None:
        status = self.path.stat()
        if status.st_uid != os.geteuid():
            raise StoreForbidden("open", f"store {self.path}", f"it belongs to {_user_name(status.st_uid)}, not to you")
        # The files are listed before the marker is looked for, because another process may be creating the store now.
        others = [path for path in self.path.iterdir() if not path.name.startswith(self.marker.name)]
        if self.marker.exists():
            self._check_layout()
        elif others:
            raise StoreRefused(
                "open", f"store {self.path}", "it holds other files and no store", advice="name another directory"
            )

    def _check_layout(self) -> None:
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
        """Yield a path to the directory that gRPC and DuckDB accept. It is valid until the ``with`` block ends.

        The directory's own path may be too long for a socket, may have characters with a meaning in gRPC's URIs, or may
        not be valid text.
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
            # This system, or this container, has no /proc.
            from tempfile import TemporaryDirectory  # noqa: PLC0415 - few systems need it, and it takes 3 ms of CPU

            _sweep_links()
            with TemporaryDirectory(prefix=f"puppylog-{os.getpid()}-") as short:
                link = Path(short) / _LINK
                link.symlink_to(self.path)
                yield link
        finally:
            os.close(directory)

    @contextmanager
    def reachable_socket(self) -> Iterator[str]:
        """Yield a path to the socket that gRPC accepts. The path is valid until the ``with`` block ends."""
        with self.reachable() as path:
            yield str(path / self.socket.name)


def _sweep_links() -> None:
    """Remove the links of killed processes. If a number belongs to a new process, a later call removes the link."""
    from tempfile import gettempdir  # noqa: PLC0415 - as above

    for folder in Path(gettempdir()).glob("puppylog-*-*"):
        link_folder = _LINK_FOLDER.fullmatch(folder.name)
        with suppress(OSError):  # another process removes the folder at the same time, or it has other files
            if link_folder and folder.lstat().st_uid == os.geteuid() and not is_alive(int(link_folder["pid"])):
                (folder / _LINK).unlink(missing_ok=True)
                folder.rmdir()


def is_alive(pid: int) -> bool:
    """Return whether a process of this number runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def translate_os_error(path: Path, error: OSError) -> StoreRefused | StoreFull:
    """Return Puppylog's error for an ``OSError`` on one of the files of the store in ``path``."""
    cause = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFull("write to", f"store {path}", cause)
    if error.errno in (errno.EACCES, errno.EPERM):
        return StoreForbidden("open", f"store {path}", cause)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return StoreRefused("open", f"store {path}", _describe_obstacle(path), advice="name a directory")
    return StoreRefused("open", f"store {path}", cause)


def _describe_obstacle(path: Path) -> str:
    """Return why a directory cannot be made at ``path``: what is there, or in place of one of its parents."""
    found = next((place for place in (*reversed(path.parents), path) if place.is_symlink() or place.is_file()), path)
    name = "it" if found == path else str(found)
    if found.is_symlink() and not found.exists():
        return f"{name} is a link to {found.readlink()}, which does not exist"
    return f"{name} is not a directory"


def open_private(path: str, flags: int) -> int:
    """Open a file and return its descriptor, as an ``opener`` for `open`. Only the owner can read a new file."""
    return os.open(path, flags, 0o600)


def sync(path: Path) -> None:
    """Wait until the content of a file, or the entries of a directory, are on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, text: str) -> None:
    """Write a file atomically: other processes read the old content or the new content."""
    temporary = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    with open(temporary, "w", encoding="utf-8", opener=open_private) as file:
        file.write(text)
    temporary.replace(path)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
