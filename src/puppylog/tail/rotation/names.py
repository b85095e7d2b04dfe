"""Parses the names that rotation gives to files: with a number or a date at the end, or before the extension."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from puppylog.tail.compression import SUFFIXES

_PACKED = "|".join(map(re.escape, SUFFIXES))
_DATE = r"(?:\d{6}|\d{4}[\-_.]\d\d)[\d.\-_:T]*"

# .1  .2026-11-23T18:00  .old  -20261123  .1.gz  .gz; not the -1 of a second program's live log.
_SUFFIX = re.compile(rf"(?:\.old|\.\d[\d.\-_:T]*|[\-_]{_DATE})(?:{_PACKED})?|{_PACKED}")
_NUMBER = re.compile(rf"\.(\d{{1,3}})(?:{_PACKED})?")
_DATED = re.compile(rf"[.\-_](\d{{4}}[\d.\-_:T]{{2,}})(?:{_PACKED})?")

# The part between app and .log in app.1.log and app-20261123.log.gz: logrotate's `extension`.
_INFIX = re.compile(r"\.(?P<number>\d{1,3})|[.\-_](?P<date>(?:\d{6}|\d{4}[\-_.]\d\d)(?:[\d.\-_:T]*\d)?)")
_EXTENDED = re.compile(rf"(?P<stem>.+?)(?:{_INFIX.pattern})(?P<extension>\.[A-Za-z]\w*)(?:{_PACKED})?")


@dataclass(frozen=True, slots=True)
class RotatedName:
    """What the name of a rotated file tells about its age."""

    number: int | None  # 1 is the newest; a few programs give the newest file the greatest number
    date: str | None  # digits, year first
    is_extended: bool  # the number or date is before the extension, as it may be in the name of another program's log


def parse_rotated_name(base: str, name: str) -> RotatedName | None:
    """Return what the name tells if rotation gives it to the file called ``base``, compressed or not; else None.

    Example:
        >>> parse_rotated_name("app.log", "app.log.2.gz")
        RotatedName(number=2, date=None, is_extended=False)
    """
    if name.startswith(base):
        if _SUFFIX.fullmatch(name, len(base)) is None:
            return None
        number, date = _NUMBER.fullmatch(name, len(base)), _DATED.fullmatch(name, len(base))
        return RotatedName(int(number[1]) if number else None, _digits(date[1]) if date else None, is_extended=False)
    base_path = PurePosixPath(base)
    if not base_path.suffix or not name.startswith(base_path.stem):
        return None
    plain = _unpacked(name)
    infix = _INFIX.fullmatch(plain, len(base_path.stem), len(plain) - len(base_path.suffix))
    if infix is None or not plain.endswith(base_path.suffix) or _extended_base(name) != base:
        return None
    number_text, date_text = infix["number"], infix["date"]
    return RotatedName(
        int(number_text) if number_text else None, _digits(date_text) if date_text else None, is_extended=True
    )


def list_bases(path: str) -> list[str]:
    """Return the paths of which this may be a rotated file, by a number or a date at the end of its name."""
    start = path.rfind("/") + 2
    return [path[:at] for at in range(start, len(path)) if _SUFFIX.fullmatch(path, at)]


def find_extended_base(path: str) -> str | None:
    """Return the path of which this may be a rotated file, by a number or a date before its extension; else None."""
    directory, slash, name = path.rpartition("/")
    base = _extended_base(name)
    return None if base is None else f"{directory}{slash}{base}"


def _extended_base(name: str) -> str | None:
    match = _EXTENDED.fullmatch(name)
    if match is None or match["extension"].endswith(SUFFIXES):
        return None
    return match["stem"] + match["extension"]


def _unpacked(name: str) -> str:
    return name[: name.rfind(".")] if name.endswith(SUFFIXES) else name


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
