"""What may be collected: people's paths and patterns become files, and what is no log is refused by its name."""

import contextlib
import glob
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from puppylog.errors import SourceError
from puppylog.tail.handle import Handle, cannot_read
from puppylog.tail.siblings import list_bases

STDIN = "-"
"""The source that is standard input."""

_SAMPLE_BYTES = 8192

# Files that people give by mistake, most often through a pattern: where in the file, which bytes, what it is.
_MAGIC = (
    (0, b"\x1f\x8b", "it is compressed (gzip)"),
    (4, b"1AY&SY", "it is compressed (bzip2)"),
    (0, b"\xfd7zXZ\0", "it is compressed (xz)"),
    (0, b"\x28\xb5\x2f\xfd", "it is compressed (zstd)"),
    (0, b"\x04\x22\x4d\x18", "it is compressed (lz4)"),
    (0, b"\x1f\x9d", "it is compressed (compress)"),
    (0, b"PK\x03\x04", "it is a zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "it is a 7z archive"),
    (257, b"ustar\0", "it is a tar archive"),
    (257, b"ustar  \0", "it is a tar archive"),
    (0, b"\x7fELF", "it is a program"),
    (0, b"SQLite format 3\0", "it is an SQLite database"),
    (0, b"LPKSHHRH", "it is a systemd journal"),
    (0, b"\x89PNG\r\n", "it is an image"),
    (0, b"\xff\xd8\xff", "it is an image"),
    (0, b"\xff\xfe", "it is UTF-16 text, and UTF-8 is needed"),
    (0, b"\xfe\xff", "it is UTF-16 text, and UTF-8 is needed"),
)

# A line of a log begins with an address, a time, a brace, a word. What follows may be anything, raw TLS for instance.
_BEGINNING = re.compile(rb"[\t\x20-\x7e]{16}|[\t\x20-\x7e]{4,15}\r?\Z")
_SHORTEST_LINE = 4


def expand_sources(patterns: Sequence[str], *, watch: bool = False, followed: Collection[str] = ()) -> list[str]:
    """Return the absolute paths that are meant, each once, in the order given; matches of a pattern by name.

    Args:
        patterns: paths, glob patterns, or ``-`` for standard input, which stays ``-``.
        watch: a path or a match need not exist yet. Matches that cannot be read are left out until they can be, and so
            are rotated files of another match: following that one finds them by their identity.
        followed: paths that were returned before. They are returned again without another look.

    Raises:
        SourceError: a path cannot be collected, or a pattern has no match.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        if pattern == STDIN:
            found[STDIN] = None
        elif glob.has_magic(pattern) and not os.path.lexists(pattern):
            found.update(dict.fromkeys(_expand_glob(pattern, followed, watch=watch)))
        else:
            path = str(Path(pattern).absolute())
            if path not in followed:
                check_source(path, may_be_missing=watch)
            found[path] = None
    return list(found)


def check_source(path: str, *, may_be_missing: bool = False) -> None:
    """Look into the file, and say nothing if it may be a log.

    Raises:
        SourceError: it is missing, a directory, unreadable for us, or binary.
    """
    try:
        with contextlib.closing(Handle(path)) as handle:
            binary = find_binary(handle.read(_SAMPLE_BYTES, 0))
    except FileNotFoundError as error:
        if may_be_missing:
            return
        raise cannot_read(path, error) from None
    except OSError as error:
        raise cannot_read(path, error) from None
    if binary is not None:
        raise SourceError(f"cannot read {path}: {binary}")


def find_binary(sample: bytes) -> str | None:
    """Return what a file that begins like this is, if it is binary; None for a log.

    NULs at the beginning are the hole that a truncation leaves. NULs behind it are binary garbage that came over the
    wire, as long as some of the lines begin like lines.
    """
    for at, magic, what in _MAGIC:
        if sample.startswith(magic, at):
            return what
    text = sample.lstrip(b"\0")
    if b"\0" not in text:
        return None
    lines = [line for line in text.split(b"\n") if len(line) >= _SHORTEST_LINE]
    like_lines = sum(_BEGINNING.match(line) is not None for line in lines)
    return "it is a binary file" if 10 * like_lines < len(lines) or not lines else None


def _expand_glob(pattern: str, followed: Collection[str], *, watch: bool) -> list[str]:
    matches = {
        str(Path(match).absolute())
        for match in glob.iglob(pattern, recursive=True)  # noqa: PTH207 - Path.glob knows no absolute patterns
    }
    if watch:
        live = [match for match in matches if not matches.intersection(list_bases(match))]
        return sorted(match for match in live if match in followed or _is_readable(match))
    files = sorted(match for match in matches if not Path(match).is_dir())
    if not files:
        raise SourceError(f"cannot read {pattern}: no file matches")
    for match in files:
        check_source(match)
    return files


def _is_readable(path: str) -> bool:
    try:
        check_source(path)
    except SourceError:
        return False
    return True
