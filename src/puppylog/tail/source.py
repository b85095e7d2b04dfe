"""Expands the paths and patterns that a user gives, and refuses files that are not logs, with the cause."""

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from puppylog.errors import SourceError
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import cannot_read, identity_of
from puppylog.tail.journal.source import JournalSource, is_journal
from puppylog.tail.pattern import OnListed, find_renamed, is_pattern, iter_matches, list_names
from puppylog.tail.rotation.names import find_extended_base, list_bases

STDIN = "-"
"""The source that is standard input."""

_SAMPLE_BYTES = 8192

# As long as a tailer waits for a rotated file: its writers have opened the new file by then.
_WRITTEN_WITHIN_S = 5.0

# Files that users give by mistake, most often by a pattern: the offset in the file, the bytes there, what the file is.
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
)

# A log line begins with an address, a time, a brace or a word. Any bytes may follow, such as those of a TLS handshake.
_BEGINNING = re.compile(rb"[\t\x20-\x7e]{16}|[\t\x20-\x7e]{4,15}\r?\Z")
_MIN_LINE_LENGTH = 4


OnSkipped: TypeAlias = Callable[[str], None]
OnRefused: TypeAlias = Callable[[str, str], None]
FindKnown: TypeAlias = Callable[[Mapping[str, Sequence[str]]], Collection[str]]
"""Returns those of the missing paths whose stream has read one of the files that rotation has renamed from them."""


def expand_sources(
    patterns: Sequence[str],
    *,
    watch: bool = False,
    followed: Collection[str] = (),
    on_skipped: OnSkipped = lambda _: None,
    on_refused: OnRefused = lambda _path, _cause: None,
) -> list[str]:
    """Return the absolute paths of the files to collect, each file once.

    Args and errors are those of `expand_by_pattern`.
    """
    return list(
        expand_by_pattern(patterns, watch=watch, followed=followed, on_skipped=on_skipped, on_refused=on_refused)
    )


def expand_by_pattern(
    patterns: Iterable[str],
    *,
    watch: bool = False,
    followed: Collection[str] = (),
    on_skipped: OnSkipped = lambda _: None,
    on_refused: OnRefused = lambda _path, _cause: None,
    on_listed: OnListed = lambda _: None,
    find_known: FindKnown = lambda _: (),
) -> dict[str, str]:
    """Return the absolute paths of the files to collect, each file once, with the first pattern that gives the path.

    They are in the order of ``patterns``; the matches of one pattern are sorted by name.

    A directory stands for the files in it. If two paths lead to one file, only one path is returned: the one that is
    followed already, else the one that is not a link, else the first.

    Args:
        patterns: paths of files, directories and named pipes, glob patterns, texts of a `JournalSource`, or ``-`` for
            standard input, which stays ``-``.
        watch: also return paths that do not exist or cannot be read, to be tried again. Skip matches that are not logs,
            and rotated files of another match: the tailer of that match finds them.
        followed: paths that were returned before. They are returned again without a check.
        on_skipped: called at every call with a sentence for each match or path that is skipped.
        on_refused: called with each path, match or pattern that cannot be collected, and the cause, if others can be.
        on_listed: called with each directory before it is searched.
        find_known: finds the missing paths whose renamed files may have a rest to read. They are returned, too.

    Raises:
        SourceError: no file can be collected; the cause is that of the first path or pattern.
        UsageError: the text of a journal has another form.
    """
    found: dict[str, str] = {}
    refused: dict[str, SourceError] = {}
    renamed = {pattern: _find_renamed(pattern, watch=watch) for pattern in patterns}
    asked = {path: files for by_path in renamed.values() for path, files in by_path.items() if path not in followed}
    known = find_known(asked) if asked else ()
    followed = {*followed, *known} if known else followed
    for pattern, by_path in renamed.items():
        missing = [path for path in by_path if path in followed]
        try:
            for path in _expand(pattern, followed, on_skipped, refused, on_listed, missing=missing, watch=watch):
                found.setdefault(path, pattern)
        except SourceError as error:
            refused[pattern] = error
    if refused and not found:
        raise next(iter(refused.values()))
    for path, refusal in refused.items():
        on_refused(path, refusal.message)
    return {path: found[path] for path in _without_doubles(found, followed, on_skipped)}


def _find_renamed(pattern: str, *, watch: bool) -> dict[str, list[str]]:
    """Return `find_renamed`; nothing for a path that is collected anyway, as a watching collector does every path."""
    if pattern == STDIN or is_journal(pattern):
        return {}
    return find_renamed(pattern) if is_pattern(pattern) or not (watch or os.path.lexists(pattern)) else {}


def _expand(
    pattern: str,
    followed: Collection[str],
    on_skipped: OnSkipped,
    refused: dict[str, SourceError],
    on_listed: OnListed,
    *,
    missing: Collection[str],
    watch: bool,
) -> dict[str, None]:
    if pattern == STDIN:
        return {STDIN: None}
    if is_journal(pattern):
        return {JournalSource.parse(pattern).text: None}
    if is_pattern(pattern):
        matches = {*iter_matches(pattern, on_listed), *missing}
        return _choose(pattern, matches, followed, on_skipped, refused, watch=watch)
    if Path(pattern).is_dir():
        directory = str(Path(pattern).absolute())
        on_listed(directory)
        files = {f"{directory.rstrip('/')}/{name}" for name in list_names(directory) if not name.startswith(".")}
        return _choose(directory, files, followed, on_skipped, refused, watch=watch)
    path = str(Path(pattern).absolute())
    if not watch and path not in followed:
        check_source(path)
    return {path: None}


def is_pipe(path: str) -> bool:
    """Return whether the file at the path is a named pipe, which a `PipeTailer` reads."""
    try:
        return stat.S_ISFIFO(Path(path).stat().st_mode)
    except OSError:
        return False


def refuse_binary(path: str) -> None:
    """Refuse a file that can be read but is not a log.

    Raises:
        BinaryFile: the file is not a log.
    """
    try:
        check_source(path)
    except BinaryFile:
        raise
    except SourceError:
        return


def check_source(path: str) -> None:
    """Refuse a file that cannot be collected, by its first bytes. A named pipe is accepted.

    Raises:
        SourceError: the file is missing, a directory, not readable, or binary.
    """
    if is_pipe(path):
        return
    try:
        with contextlib.closing(open_log(path)) as handle:
            binary = find_binary(handle.read(_SAMPLE_BYTES, 0))
    except OSError as error:
        if error.errno in {errno.EMFILE, errno.ENFILE}:
            return  # the limit on open files says nothing about this file; its tailer tries again
        raise cannot_read(path, error) from None
    if binary is not None:
        raise BinaryFile("read", path, binary)


class BinaryFile(SourceError):
    """A file that can be read, but is not a log."""


def find_binary(sample: bytes) -> str | None:
    """Return what kind of binary file begins with this sample; None for a log.

    NULs at the start of a log are the hole that a truncation leaves. Later NULs are accepted if one line in ten begins
    like a log line: a client may have sent binary data that was logged.
    """
    for at, magic, what in _MAGIC:
        if sample.startswith(magic, at):
            return what
    text = sample.lstrip(b"\0")
    if b"\0" not in text:
        return None
    lines = [line for line in text.split(b"\n") if len(line) >= _MIN_LINE_LENGTH]
    like_lines = sum(_BEGINNING.match(line) is not None for line in lines)
    return "it is a binary file" if 10 * like_lines < len(lines) or not lines else None


def _choose(
    pattern: str,
    matches: set[str],
    followed: Collection[str],
    on_skipped: OnSkipped,
    refused: dict[str, SourceError],
    *,
    watch: bool,
) -> dict[str, None]:
    """Return the matches that can be collected. Add to ``refused`` the matches that cannot be read."""
    matches = {match for match in matches if match in followed or not (Path(match).is_dir() or is_pipe(match))}
    if watch:
        matches = {match for match in matches if match in followed or not _is_rotated_of_any(match, matches)}
    if not matches and not watch:
        raise SourceError("read", pattern, "no file matches")
    chosen: dict[str, None] = {}
    refusals = {match: _find_refusal(match, followed) for match in sorted(matches)}
    for match, error in refusals.items():
        if error is None or (watch and not isinstance(error, BinaryFile)):
            chosen[match] = None  # a file that cannot be read is tried again; its status says why
        elif isinstance(error, BinaryFile):
            on_skipped(f"{match} is left out: {error.cause}")
        else:
            refused[match] = error
    if not chosen and not watch:
        raise next(error for error in refusals.values() if error is not None)
    return chosen


def _find_refusal(match: str, followed: Collection[str]) -> SourceError | None:
    try:
        if match not in followed:
            check_source(match)
    except SourceError as error:
        return error
    return None


def _is_rotated_of_any(match: str, matches: Collection[str]) -> bool:
    """Return whether the match is a rotated file of another match, whose tailer reads it.

    ``app.1.log`` may also be the log of another program. Such a log is written to, and a rotated file is not.
    """
    if any(base in matches for base in list_bases(match)):
        return True
    if find_extended_base(match) not in matches:
        return False
    try:
        return time.time() - Path(match).stat().st_mtime > _WRITTEN_WITHIN_S
    except OSError:
        return False


def _without_doubles(found: Iterable[str], followed: Collection[str], on_skipped: OnSkipped) -> list[str]:
    """Return the paths, only one path for each file."""
    paths = list(found)
    if all(path in followed for path in paths):
        return paths  # nearly always true, and saves the check of thousands of paths
    owners: dict[tuple[int, int], str] = {}
    for path in sorted(paths, key=lambda path: (path not in followed, Path(path).is_symlink())):
        try:
            identity = identity_of(Path(path).stat())
        except OSError:
            continue  # the file does not exist yet
        if owners.setdefault(identity, path) != path and path not in followed:
            on_skipped(f"{path} is left out: it is the same file as {owners[identity]}")
            paths.remove(path)
    return paths
