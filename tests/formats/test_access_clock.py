from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.access.clock import read_times
from puppylog.formats.access.reason import Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
zones = st.integers(-14 * 60 - 59, 14 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)  # noqa: DTZ001 - bounds are naive


def read(stamps: list[str]) -> list[int | Reason]:
    """Read stamps, each in a line of its own: microseconds, or the reason against it."""
    lines = [f'x [{stamp}] "' for stamp in stamps]
    text = np.frombuffer(("\0" * 32 + "".join(lines) + "\0" * 32).encode(), np.uint8)
    opening = 32 + np.cumsum([len(line) for line in lines], dtype=np.int64) - 1
    times_us, reasons = read_times(text, opening)
    return [
        int(time_us) if reason == Reason.NONE else list(Reason)[reason]
        for time_us, reason in zip(times_us, reasons, strict=True)
    ]


@given(st.lists(instants, min_size=1))
def test_any_time_in_any_zone_is_read_to_the_second(times: list[datetime]) -> None:
    stamps = [at.strftime(f"%d/%b/{at.year:04}:%H:%M:%S %z") for at in times]
    assert read(stamps) == [(at.replace(microsecond=0) - EPOCH) // timedelta(microseconds=1) for at in times]


@given(
    st.lists(
        st.sampled_from(["01/Jan/2024:00:00:00 +0000", "01/Jan/2024:00:00:01 +0000", "32/Jan/2024:00:00:00 +0000"])
    )
)
def test_runs_of_one_stamp_are_read_like_single_ones(stamps: list[str]) -> None:
    assert read(stamps) == [result for stamp in stamps for result in read([stamp])]


@given(st.integers(0, 25), st.characters(max_codepoint=127, exclude_characters="0123456789"))
def test_another_character_anywhere_spoils_the_form(place: int, character: str) -> None:
    stamp = "01/Jan/2024:00:00:00 +0000"
    spoilt = stamp[:place] + character + stamp[place + 1 :]
    assert spoilt in {stamp, stamp.replace("+", "-")} or read([spoilt]) == [Reason.TIME_FORM]


def test_no_line_has_no_time() -> None:
    assert read([]) == []
