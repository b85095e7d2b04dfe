"""The formats by the names that people write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from puppylog.errors import UsageError
from puppylog.formats.access.access_log import AccessLog
from puppylog.formats.access.response import Variant
from puppylog.formats.auto import Auto
from puppylog.formats.base import Format, Options


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the registry."""

    summary: str  # what `puppylog formats` says
    samples: str  # its file in ``samples/``, without the ending
    make: Callable[[Options], Format]
    is_tried: bool = True  # by `auto`


FORMATS: Final[Mapping[str, Entry]] = {
    "access": Entry(
        "access logs of Apache and nginx, common or combined", "access", lambda _: AccessLog(Variant.ACCESS)
    ),
    "common": Entry(
        "access logs without referer and user agent", "access", lambda _: AccessLog(Variant.COMMON), is_tried=False
    ),
    "combined": Entry(
        "access logs with referer and user agent", "access", lambda _: AccessLog(Variant.COMBINED), is_tried=False
    ),
}
"""In the order in which they are tried."""

FORMAT_NAMES: Final = tuple(FORMATS)

AUTO: Final = "auto"
"""What people write who do not say."""

LAST_RESORT: Final = "plain" if "plain" in FORMATS else "access"
"""What a file is read as that is in no other format."""


WRITTEN: Final[Mapping[str, str]] = {}
"""What else may be written in place of a name, and what it reads."""


def first_sample(name: str) -> str:
    """Return a line of the format, as its own samples have it."""
    folder = resources.files("puppylog.formats").joinpath("samples")
    for paragraph in folder.joinpath(f"{FORMATS[name].samples}.txt").read_text(encoding="utf-8").split("\n\n"):
        keys = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != "#")
        if "line" in keys and "record" in keys and keys.get("as", FORMATS[name].samples) == name:
            return keys["line"]
    return ""


def find_format(written: str, options: Options = Options()) -> Format:  # noqa: B008 - frozen
    """Return the format that is asked for by its name.

    Raises:
        UsageError: there is none.
    """
    if written == AUTO:
        return choose_by_looking(options)
    entry = FORMATS.get(written)
    if entry is None:
        raise UsageError(f"cannot use format {written!r}: it must be one of {', '.join((AUTO, *FORMAT_NAMES))}")
    return entry.make(options)


def list_candidates(options: Options) -> list[Format]:
    """Return the formats that are tried on a file of which nothing is said, in their order."""
    return [entry.make(options) for name, entry in FORMATS.items() if entry.is_tried and name != "plain"]


def choose_by_looking(options: Options, first: Sequence[Format] = ()) -> Auto:
    """Return the format that chooses; ``first`` are tried before all others."""
    return Auto((*first, *list_candidates(options)), FORMATS[LAST_RESORT].make(options))
