from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats import clock
from puppylog.formats.clock import OutOfRange, Stamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
zones = st.integers(-14 * 60 + 1, 14 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(3, 1, 1), datetime(9998, 12, 30), timezones=zones)  # noqa: DTZ001 - the zone comes with it


def us_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@given(moments, st.sampled_from(["T", " ", "t"]), st.sampled_from([".", ","]))
def test_an_iso_stamp_is_read_as_its_instant(moment: datetime, between: str, point: str) -> None:
    written = moment.isoformat(sep="T", timespec="microseconds").replace("T", between).replace(".", point)
    assert clock.parse_iso(written) == Stamp(us_of(moment))


@given(moments)
def test_an_access_stamp_is_read_as_its_instant(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    month = moment.strftime("%b")
    written = f"{moment.day:02}/{month}/{moment.year:04}:{moment:%H:%M:%S} {moment:%z}"
    assert clock.parse_access(written) == Stamp(us_of(moment))


@pytest.mark.parametrize(
    ("written", "stamp"),
    [
        ("1970-01-01T00:00:01Z", Stamp(1_000_000)),
        ("1970-01-01 00:00:01", Stamp(1_000_000, is_local=True)),
        ("1970/01/01 00:00:01", Stamp(1_000_000, is_local=True)),
        ("1970-01-01T01:00:01+01", Stamp(1_000_000)),
        ("1970-01-01T01:00:01 +0100", Stamp(1_000_000)),
        ("1970-01-01T00:00:00.123456789Z", Stamp(123_456)),
        ("1970-01-01T00:00:00,5", Stamp(500_000, is_local=True)),
        ("1970-01-01T23:59:60Z", Stamp(86_400_000_000)),
        ("1970-01-01", None),
        ("1970-01/01T00:00:00", None),
        ("1970-01-01T00:00:00.", None),
        ("1970-01-01T00:00:00X", None),
        ("1970-01-01T00:00:00Z ", None),
        ("٢٠٢٠-01-01T00:00:00Z", None),
    ],
)
def test_the_forms_of_an_iso_stamp(written: str, stamp: Stamp | None) -> None:
    assert clock.parse_iso(written) == stamp


@pytest.mark.parametrize(
    "written",
    [
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2023-01-01T00:00:61Z",
        "2023-01-01T00:00:00+15:00",
        "0001-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
    ],
)
def test_a_day_or_time_that_does_not_exist_is_out_of_range(written: str) -> None:
    with pytest.raises(OutOfRange):
        clock.parse_iso(written)


@pytest.mark.parametrize(
    ("written", "us"),
    [
        ("0", 0),
        ("1716723772", 1_716_723_772_000_000),
        ("1716723772.6014807", 1_716_723_772_601_480),
        ("1716723772601", 1_716_723_772_601_000),
        ("1716723772601.5", 1_716_723_772_601_500),
        ("1716723772601480", 1_716_723_772_601_480),
        ("1716723772601480700", 1_716_723_772_601_480),
        ("12345678901234567890", None),
        ("1.", None),
        (".5", None),
        ("-1", None),
        ("1e9", None),
        ("", None),
    ],
)
def test_the_unit_of_a_number_depends_on_its_size(written: str, us: int | None) -> None:
    assert clock.parse_epoch(written) == (None if us is None else Stamp(us))
