"""The time in the brackets of an access log, in both readers."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from formats.paths import PATHS, reading
from puppylog.formats.registry import find_format

TIME_FORM = "time is not dd/Mon/yyyy:HH:MM:SS +zzzz"

zones = st.integers(-14 * 60 - 59, 14 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)  # noqa: DTZ001 - bounds are naive
paths = st.sampled_from(PATHS)


def read(stamps: list[str], path: str) -> list[datetime | str]:
    """Return for each stamp, in a line of its own, the instant or the reason why the line is rejected."""
    lines = "".join(f'192.0.2.1 - - [{stamp}] "GET / HTTP/1.1" 200 5\n' for stamp in stamps)
    with reading(path):
        parsed = find_format("access").open().parse(lines.encode(), 0, 0)
    found = dict(zip(parsed.records["line_offset"].to_pylist(), parsed.records["ts"].to_pylist(), strict=True))
    found |= {reject["line_offset"]: reject["reason"] for reject in parsed.rejects.to_pylist()}
    assert len(found) == len(stamps)
    return [found[offset] for offset in sorted(found)]


@given(st.lists(instants, min_size=1), paths)
def test_any_time_in_any_zone_is_read_to_the_second(times: list[datetime], path: str) -> None:
    stamps = [at.strftime(f"%d/%b/{at.year:04}:%H:%M:%S %z") for at in times]
    assert read(stamps, path) == [at.replace(microsecond=0).astimezone(UTC) for at in times]


@given(
    st.lists(
        st.sampled_from(["01/Jan/2024:00:00:00 +0000", "01/Jan/2024:00:00:01 +0000", "32/Jan/2024:00:00:00 +0000"])
    ),
    paths,
)
def test_repeated_stamps_are_read_like_single_stamps(stamps: list[str], path: str) -> None:
    assert read(stamps, path) == [result for stamp in stamps for result in read([stamp], path)]


@given(st.integers(0, 25), st.characters(max_codepoint=127, exclude_characters="0123456789\n"), paths)
def test_a_stamp_with_any_other_character_is_rejected(place: int, character: str, path: str) -> None:
    stamp = "01/Jan/2024:00:00:00 +0000"
    spoilt = stamp[:place] + character + stamp[place + 1 :]
    assert spoilt in {stamp, stamp.replace("+", "-")} or read([spoilt], path) == [TIME_FORM]
