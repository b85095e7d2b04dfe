"""Stamps of every style with every zone, in eight positions: read to the microsecond or not at all, never wrongly."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from formats.paths import PATHS, reading
from formats.stamp_styles import STYLES, ZONES, Style
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from support.examples import IS_SOAK

INSTANTS = [datetime(2026, 10, 28, 12, 0, 0, 5, tzinfo=UTC), datetime(2026, 11, 24, 9, 5, 3, 123456, tzinfo=UTC)]
"""One after the other: a stamp without a year that is months away from the stamp before is of another year."""

MODIFIED_AT_US = 1_798_675_200_000_000  # at the end of 2026, so that stamps without a year are of 2026
POSITIONS = {
    "at the start": "{} ERROR cannot pay",
    "in brackets": "[{}] ERROR cannot pay",
    "after a level": "ERROR {} cannot pay",
    "after a level in brackets": "[ERROR] [{}] cannot pay",
    "after a host": "web1 {} ERROR cannot pay",
    "after an id": "78017 00cff -- {} ERROR cannot pay",
    "in the message": "ERROR: the card expires {} today",
    "at the end": "ERROR cannot pay since {}",
}
READ = {"at the start", "in brackets"}
"""Positions in which a stamp that is not refused must be read."""


@pytest.mark.sampled
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("position", POSITIONS)
def test_a_stamp_is_right_or_refused_wherever_it_stands(position: str, path: str) -> None:
    wrong = []
    read = cases = 0
    # `make test` reads each second style with the readers in C, and each fourth with those in Python, which are slower.
    for style in STYLES if IS_SOAK else STYLES[::2] if path == "native" else STYLES[1::4]:
        written = write_stamps(style)
        lines = [POSITIONS[position].format(stamp) for stamp, _ in written]
        with reading(path):
            found = find_times(lines)
        for line, (_, meant), time in zip(lines, written, found, strict=True):
            cases += 1
            read += time is not None
            if time is not None and time != meant:
                wrong.append((line, time))
    assert wrong == []
    assert cases > (3200 if IS_SOAK else 1600 if path == "native" else 800)
    if position in READ:
        assert read > 0.85 * cases, "the rest are the styles that are refused"


@cache
def write_stamps(style: Style) -> list[tuple[str, datetime | None]]:
    """Return a stamp for each instant and zone, and what it means."""
    return [
        (style.write(style.cut(at), zone), instant_of(style, at, zone))
        for number, zone in enumerate(ZONES)
        if style.takes(zone)
        for at in (INSTANTS if IS_SOAK else INSTANTS[number % 2 :][:1])  # in `make test` each zone at one instant
    ]


def instant_of(style: Style, at: datetime, zone: str) -> datetime | None:
    """Return what the stamp means; None if it must not be read."""
    return None if style.is_refused else style.cut(at) - (ZONES[zone] or timedelta(0))


def find_times(lines: list[str]) -> list[datetime | None]:
    """Return the time of each line; None if it has the time of another line or that of reading."""
    parser = find_format("app", Options(joins_lines=False)).open("", MODIFIED_AT_US)
    records = parser.parse("".join(f"{line}\n" for line in lines).encode(), 0, 0).records.to_pylist()
    return [None if "ts_source" in json.loads(row["attributes"] or "{}") else row["ts"] for row in records]
