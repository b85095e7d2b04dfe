"""Journals of systemd with numbered entries, written by systemd-journal-remote. No journald has to run."""

import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

REMOTE = shutil.which("systemd-journal-remote", path="/lib/systemd:/usr/lib/systemd")
JOURNALCTL = shutil.which("journalctl")

needs_journals = pytest.mark.skipif(
    REMOTE is None or JOURNALCTL is None,
    reason="NOT TESTED: needs journalctl and systemd-journal-remote (Debian: systemd, systemd-journal-remote)",
)

START_US = 1_764_000_000_000_000
BOOT = "b" * 32


def field(name: str, value: bytes | str) -> bytes:
    """Return a field in the export format."""
    written = value.encode() if isinstance(value, str) else value
    if b"\n" in written or not written.isascii():
        return name.encode() + b"\n" + struct.pack("<Q", len(written)) + written + b"\n"
    return name.encode() + b"=" + written + b"\n"


def make_entry(number: int, *, boot: str = BOOT, cursor: str = "", **fields: bytes | str) -> bytes:
    """Return an entry in the export format, one microsecond after the entry with the number before."""
    known: dict[str, bytes | str] = {
        **({"__CURSOR": cursor} if cursor else {}),
        "__REALTIME_TIMESTAMP": str(START_US + number),
        "__MONOTONIC_TIMESTAMP": str(1_000_000 + number),
        "_BOOT_ID": boot,
        "_HOSTNAME": "web1",
        "_SYSTEMD_UNIT": "shop.service",
        "_SELINUX_CONTEXT": "unconfined\n",
        "PRIORITY": "6",
        "MESSAGE": f"number {number}",
    }
    return b"".join(field(name, value) for name, value in (known | fields).items()) + b"\n"


def make_cursor(number: int, *, seqnum_id: str = "a" * 32, boot: str = BOOT, content_hash: int = 1) -> str:
    """Return the cursor of the entry with this number."""
    time, monotonic = START_US + number, 1_000_000 + number
    return f"s={seqnum_id};i={number + 1:x};b={boot};m={monotonic:x};t={time:x};x={content_hash:x}"


class Journal:
    """A directory of journal files."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.written = 0
        self._files = 0

    @property
    def source(self) -> str:
        return f"journal:{self.directory}"

    def write(self, count: int, *, boot: str = BOOT) -> Path:
        """Write the next numbered entries into a new file, as after a rotation; return the file."""
        numbers = range(self.written, self.written + count)
        self.written += count
        return self.add(make_entry(number, boot=boot) for number in numbers)

    def add(self, entries: Iterable[bytes]) -> Path:
        """Write entries into a new file; return the file."""
        assert REMOTE is not None
        self._files += 1
        path = self.directory / f"{self._files:03d}.journal"
        subprocess.run(
            [REMOTE, f"--output={path}", "-"], input=b"".join(entries), capture_output=True, timeout=60, check=True
        )
        return path
