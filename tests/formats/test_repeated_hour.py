"""The repeated hour, 2026-10-25 02:00 to 03:00 in Berlin: whether a stamp is of the first or of the second hour."""

from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import read
from formats.paths import PATHS
from puppylog.formats.base import Options
from puppylog.formats.repeated_hour import RepeatedHour

ZONE = ZoneInfo("Europe/Berlin")
MIDNIGHT_US = 1_792_886_400_000_000  # 2026-10-25 00:00, counted as if in UTC


def resolve(*walls: str, hour: RepeatedHour | None = None) -> list[str]:
    """Return the times in UTC for local times, both as ``hh:mm``."""
    minutes = [int(wall[:2]) * 60 + int(wall[3:]) for wall in walls]
    wall_us = pa.array([MIDNIGHT_US + minute * 60_000_000 for minute in minutes], pa.int64())
    found_us = (hour or RepeatedHour()).resolve(wall_us, ZONE).to_pylist()
    found = [(us - MIDNIGHT_US) // 60_000_000 for us in found_us]
    return [f"{minute // 60 % 24:02}:{minute % 60:02}" for minute in found]


def test_stamps_that_go_back_by_about_an_hour_are_of_the_second_hour() -> None:
    walls = ["01:59", "02:00", "02:30", "02:59", "02:00", "02:30", "02:59", "03:00"]
    assert resolve(*walls) == ["23:59", "00:00", "00:30", "00:59", "01:00", "01:30", "01:59", "02:00"]


def test_lines_that_are_a_little_late_do_not_change_the_hour() -> None:
    assert resolve("02:10", "02:05", "02:10") == ["00:10", "00:05", "00:10"]
    assert resolve("02:59", "02:00", "02:58", "02:01") == ["00:59", "01:00", "00:58", "01:01"]


def test_a_late_line_after_the_repeated_hour_is_of_the_second_hour() -> None:
    assert resolve("03:01", "02:59", "03:01") == ["02:01", "01:59", "02:01"]


def test_a_quiet_log_is_in_the_second_hour_as_soon_as_it_goes_back() -> None:
    assert resolve("02:40", "02:20", "02:50") == ["00:40", "01:20", "01:50"]


@given(st.lists(st.integers(0, 239), max_size=30).map(sorted), st.sets(st.integers(0, 30), max_size=4))
def test_stamps_in_order_are_resolved_in_any_pieces(minutes: list[int], cuts: set[int]) -> None:
    """Minutes are counted from 01:00. A gap is never so long that the second hour looks like the first."""
    dense = sorted({*minutes, *range(0, 240, 20)})
    meant = [f"{(minute // 60 - 1) % 24:02}:{minute % 60:02}" for minute in dense]
    walls = [f"{minute // 60 + (1 if minute < 120 else 0):02}:{minute % 60:02}" for minute in dense]
    found: list[str] = []
    context = ""
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(walls)], strict=True):
        rest, hour = RepeatedHour.open(context)
        assert rest == ""
        found += resolve(*walls[start:end], hour=hour)
        context = hour.extend("")
    assert found == meant


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("json", '{{"time": "2026-10-25T{}:00"}}\n'),
        ("cri", "2026-10-25T{}:00 stdout F x\n"),
        ("logfmt", "time=2026-10-25T{}:00 a=b\n"),
        ("plain", "2026-10-25 {}:00 INFO x\n"),
        ("auto", "2026-10-25 {}:00 INFO x\n"),
        ("syslog", "Oct 25 {}:00 host app: x\n"),
        (r"^(?P<ts>\S+) (?P<message>.*)", "2026-10-25T{}:00 x\n"),
    ],
)
def test_every_format_continues_within_the_repeated_hour(written: str, form: str, path: str) -> None:
    walls = ["01:50", "02:10", "02:50", "02:10", "02:30", "02:50", "03:10"]
    data = "".join(form.format(wall) for wall in walls).encode()
    options = Options(zone=ZONE, year=2026)
    outcome = read(written, data, path, options=options)
    assert [f"{row['ts']:%H:%M}" for row in outcome.records] == [
        *("23:50", "00:10", "00:50", "01:10", "01:30", "01:50", "02:10"),
    ]
    size = len(form.format("00:00"))
    assert read(written, data, path, [size * line for line in range(1, 7)], options) == outcome
    assert "fold" not in outcome.context
