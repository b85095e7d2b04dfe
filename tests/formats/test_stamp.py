"""Time stamps of every style, written from instants, are read to the microsecond or refused, and never read wrongly."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.paths import PATHS, reading
from formats.stamp_styles import NAMED_ZONES, STYLES, ZONES, Style
from puppylog.formats.calendar import Calendar
from puppylog.formats.dating import Dating, Order
from puppylog.formats.rows import NO_TIME
from puppylog.formats.stamp import find_stamp, read_stamp
from puppylog.formats.stamp_column import StampColumn, read_stamps
from support.examples import IS_SOAK

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 24, 9, 5, 3, 123456, tzinfo=UTC)
INSTANTS = [AT, AT.replace(hour=0), AT.replace(hour=12), AT.replace(hour=23, day=13), AT.replace(month=2, day=28)]
AFTER = [
    "",
    " ",
    "]",
    ")",
    ": hello",
    " INFO hello",
    " - app - INFO",
    "|x",
    "\tx",
    '"',
    " [main] x",
    " (main) x",
    "} x",
]


def us_of(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def make_dating() -> Dating:
    return Dating(Calendar(2026, 12, 31))


def read_lines(lines: list[str], path: str, dating: Dating, *, is_whole: bool = False) -> StampColumn:
    with reading(path):
        return read_stamps(pa.array(lines, pa.string()), dating, is_whole=is_whole)


def texts_of(column: StampColumn) -> list[tuple[int, bool, str | None, str | None]]:
    local = column.is_local.cast(pa.bool_()).to_pylist()
    zones, stamps = column.zone_names.to_pylist(), column.stamps.to_pylist()
    return list(zip(column.ts_us.to_pylist(), local, zones, stamps, strict=True))


@pytest.mark.sampled
@pytest.mark.parametrize("path", PATHS)
def test_every_style_is_read_to_the_microsecond_with_every_zone_or_refused(path: str) -> None:
    for style, (number, at) in product(STYLES, enumerate(INSTANTS)):
        # `make test` lets the readers in C read every text after the first instant, and otherwise a share of the texts.
        texts = AFTER if IS_SOAK or (number == 0 and path == "native") else AFTER[number :: len(INSTANTS)]
        stamps = {zone: style.write(style.cut(at), zone) for zone in ZONES if style.takes(zone)}
        written = [(stamp, zone, after) for zone, stamp in stamps.items() for after in texts]
        lines = [stamp + after for stamp, _, after in written]
        found = texts_of(read_lines(lines, path, make_dating()))
        for line, (stamp, zone, _), row in zip(lines, written, found, strict=True):
            offset = ZONES[zone]
            us = us_of(style.cut(at) - (offset or timedelta(0)))
            refused = (NO_TIME, False, None, None)
            assert row == (refused if style.is_refused else (us, offset is None, None, stamp)), (style.form, line)


@pytest.mark.parametrize("path", PATHS)
def test_the_name_of_a_zone_that_a_stamp_does_not_settle_is_given_back(path: str) -> None:
    for style in (style for style in STYLES if not style.is_refused):
        lines = [style.write(style.cut(AT), zone) for zone in NAMED_ZONES]
        found = texts_of(read_lines(lines, path, make_dating(), is_whole=True))
        for line, zone, row in zip(lines, NAMED_ZONES, found, strict=True):
            assert row == (us_of(style.cut(AT)), True, zone.strip(), line), style.form


def test_there_are_a_hundred_styles() -> None:
    assert len({style.form for style in STYLES if not style.is_refused}) >= 100
    assert len(STYLES) == len({style.form for style in STYLES})


seconds = st.integers(us_of(datetime(1971, 1, 2, tzinfo=UTC)), us_of(datetime(2068, 12, 30, tzinfo=UTC)))
days = seconds.map(lambda us: EPOCH + timedelta(microseconds=us))
fixed = sorted(
    zone for zone in ZONES if " Europe/" not in zone and "Argentina" not in zone
)  # the offset is the same on all days
sure = [style for style in STYLES if style.has_year and not style.is_refused and not style.needs_large_day]


@given(
    st.lists(
        st.tuples(st.sampled_from(sure), days, st.sampled_from(fixed)).filter(lambda drawn: drawn[0].takes(drawn[2])),
        max_size=30,
    )
)
def test_stamps_of_any_day_are_read_on_both_paths(given_stamps: list[tuple[Style, datetime, str]]) -> None:
    lines = [style.write(style.cut(at), zone) for style, at, zone in given_stamps]
    wanted = [us_of(style.cut(at) - (ZONES[zone] or timedelta(0))) for style, at, zone in given_stamps]
    for path in PATHS:
        assert read_lines(lines, path, Dating(), is_whole=True).ts_us.to_pylist() == wanted


@pytest.mark.parametrize("path", PATHS)
def test_the_order_of_day_and_month_is_unknown_until_a_stamp_shows_it(path: str) -> None:
    lines = ["03/04/2026 10:00:00", "05/05/2026 10:00:00", "03/24/2026 10:00:00", "03/04/2026 10:00:00"]
    found = read_lines(lines, path, dating := Dating()).ts_us.to_pylist()
    assert found == [NO_TIME, *(us_of(datetime(2026, *day, 10, tzinfo=UTC)) for day in ((5, 5), (3, 24), (3, 4)))]
    orders = [dating.order]
    assert read_lines(["24/03/2026 10:00:00", "03/04/2026 10:00:00"], path, dating).ts_us.to_pylist()[1] == NO_TIME
    orders.append(dating.order)
    assert orders == [Order.MONTH_FIRST, Order.MIXED]


@pytest.mark.parametrize("path", PATHS)
def test_a_short_year_is_refused_if_the_other_custom_names_the_year_of_the_file(path: str) -> None:
    calendar = Calendar(2026, 11, 25)
    lines = ["26/11/24 10:00:00", "24/11/26 10:00:00", "17/06/09 10:00:00", "03/04/26 10:00:00", "99/11/24 10:00:00"]
    found = read_lines(lines, path, Dating(calendar)).ts_us.to_pylist()
    wanted = [(2026, 11, 24), None, (2017, 6, 9), None, (1999, 11, 24)]
    assert found == [NO_TIME if day is None else us_of(datetime(*day, 10, tzinfo=UTC)) for day in wanted]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1795514400", 1_795_514_400.0),
        ("1795514400.123456", 1_795_514_400.123456),
        ("1795514400123", 1_795_514_400.123),
        ("1795514400123.5", 1_795_514_400.1235),
        ("1795514400123456", 1_795_514_400.123456),
        ("1795514400123456789", 1_795_514_400.123456),
        ("5551234567", None),
        ("9999999999999999999", None),
        ("0012345678", None),
        ("1795514400-abc", None),
        ("1795514400:12", None),
        ("179551440012", None),
        ("17955144001234567890", None),
        ("17955144001234567890123", None),
    ],
)
def test_numbers_since_the_epoch_are_read_if_their_size_is_one_of_a_time(
    text: str, seconds: float | None, path: str
) -> None:
    wanted = NO_TIME if seconds is None else round(seconds * 1_000_000)
    assert read_lines([text], path, Dating()).ts_us.to_pylist() == [wanted]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29 10:00:00",
        "2026-11-31 10:00:00",
        "2026-13-01 10:00:00",
        "2026-11-24 24:00:00",
        "2026-11-24 10:60:00",
        "2026-11-24 10:00:61",
        "2026-11-24 10:00:00+15:00",
        "2026-11-24 10:00:00 +9999",
        "2026-11-24 10:00:00+1",
        "2026-11-24 10:00:00+100",
        "2026-11-24 10:00:00x",
        "2026-11-24 10:00:00-2026-11-25",
        "2026-11-24 10.20.30.40",
        "2026-11-24 13:00:00 AM",
        "2026-11-24 0:00:00 PM",
        "2026-11-24/10:00:00",
        "2026-W48-2T10:00:00",
        "2026-328T10:00:00",
        "12345678 10:00:00",
        "24-26-2026 10:00:00",
        "04.11 10:00:00",
        "1.24 10:00:00",
        "20261124-8:5:3",
        "20261124 8:5:3:7",
        "20261124-8:5:3:7000",
        "Nov-24-126 10:00:00",
        "Nov 31 10:00:00",
        "Nov 24 10:00",
        "Novelty 24 10:00:00",
        "Sepember 24 2026 10:00:00",
        "Monday morning",
        "@400000006b05602a3b9aca00",
        "@400000006b05602a1dcd65000",
        "@400000006b05602a1dcd650",
        "@800000006b05602a1dcd6500",
        "@400000006B05602A1DCD6500",
        "6b056020.075bcd15 conn=1000",
        "6b056020.3b9aca00 0x7f",
        "1b056020.075bcd15 0x7f",
        "Mon Tue Nov 24 10:00:00 2026",
        "",
        " ",
        "hello",
    ],
)
def test_what_is_no_time_is_refused(text: str, path: str) -> None:
    assert texts_of(read_lines([text], path, make_dating())) == [(NO_TIME, False, None, None)]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("line", "stamp", "wanted"),
    [
        ("2026-11-24 10:00:00,5,7", "2026-11-24 10:00:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24 10:00:00,123,INFO", "2026-11-24 10:00:00,123", datetime(2026, 11, 24, 10, 0, 0, 123000, UTC)),
        ("2026-11-24 10:00:00 -1 items", "2026-11-24 10:00:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24 10:00:00 UTCX", "2026-11-24 10:00:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24 10:00:00 Foo/Bar", "2026-11-24 10:00:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24 10:00:00 +0000 (Main) x", "2026-11-24 10:00:00 +0000", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        (
            "2026-11-24 10:00:00 +0000 UTC m=+0.1",
            "2026-11-24 10:00:00 +0000 UTC",
            datetime(2026, 11, 24, 10, tzinfo=UTC),
        ),
        (
            "2026-11-24-10.00.00.123456+060 x",
            "2026-11-24-10.00.00.123456+060",
            datetime(2026, 11, 24, 9, 0, 0, 123456, UTC),
        ),
        ("Nov 24 10:00:00 2026 +0100 x", "Nov 24 10:00:00 2026 +0100", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        ("Nov 24 10:00:00 8080", "Nov 24 10:00:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24 10:00:00 p.m. x", "2026-11-24 10:00:00 p.m.", datetime(2026, 11, 24, 22, tzinfo=UTC)),
        ("@400000006b05602a1dcd6500 x", "@400000006b05602a1dcd6500", datetime(2026, 11, 24, 10, 0, 0, 500000, UTC)),
        ("6b056020.075bcd15 0x7f x", "6b056020.075bcd15", datetime(2026, 11, 24, 10, 0, 0, 123456, UTC)),
        ("2026-06-30 23:59:60Z", "2026-06-30 23:59:60Z", datetime(2026, 7, 1, tzinfo=UTC)),
    ],
)
def test_a_stamp_ends_before_what_does_not_belong_to_it(line: str, stamp: str, wanted: datetime, path: str) -> None:
    ((us, _, _, found),) = texts_of(read_lines([line], path, make_dating()))
    assert (found, us) == (stamp, us_of(wanted))


def test_a_stamp_is_found_after_blanks_quotes_and_brackets() -> None:
    for before in ("", "[", ' "', "(<", "\t'"):
        found = find_stamp(f"{before}2026-11-24 10:00:00] hello")
        assert found is not None
        assert found.end == len(before) + 19
    assert find_stamp("at 2026-11-24 10:00:00") is None
    assert find_stamp("[") is None


def test_a_stamp_without_a_year_is_refused_without_a_calendar() -> None:
    assert read_stamp("Nov 24 10:00:00") is None
    assert read_stamp("Nov 24 10:00:00", 0, make_dating()) is not None


tokens = st.sampled_from(
    [
        *(style.write(AT, zone) for style in STYLES for zone in ("", "Z", " +0100")),
        *(part for part in "0123456789:/-., TZ+()[]_" + "\u202f"),
        *(zone for zone in (*ZONES, *NAMED_ZONES)),
        *("24", "2026", "Nov", "Tue", "AM", " pm", "a.m.", "é", "\u0660", "\u017fep", "\x00", "\r"),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = draw(tokens)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 3)))
        text = text[:start] + draw(tokens)[: draw(st.integers(0, 8))] + text[end:]
    return text.replace("\n", "")


@given(st.lists(damaged(), max_size=20), st.booleans(), st.sampled_from(list(Order)), st.booleans())
def test_both_paths_read_the_same_stamps(lines: list[str], is_whole: bool, order: Order, has_calendar: bool) -> None:
    lines = [line.removesuffix("\r") for line in lines]
    datings = [Dating(Calendar(2026, 11, 27) if has_calendar else None, order) for _ in PATHS]
    native, python = (
        texts_of(read_lines(lines, path, dating, is_whole=is_whole))
        for path, dating in zip(PATHS, datings, strict=True)
    )
    for line, one, other in zip(lines, native, python, strict=True):
        assert one == other, line
    assert datings[0] == datings[1]


@given(st.lists(damaged(), max_size=20), st.integers(0, 20))
def test_stamps_do_not_depend_on_where_a_file_is_cut(lines: list[str], cut: int) -> None:
    whole = texts_of(read_lines(lines, "python", make_dating()))
    first = make_dating()
    parts = texts_of(read_lines(lines[:cut], "python", first))
    second = Dating.open(first.context, 2026, None)
    assert parts + texts_of(read_lines(lines[cut:], "python", second)) == whole


@pytest.mark.parametrize("path", PATHS)
def test_a_column_may_have_nulls_and_line_feeds(path: str) -> None:
    with reading(path):
        texts = pa.array([None, "2026-11-24\n10:00:00", "2026-11-24 10:00:00Z", ""])
        assert read_stamps(texts[1:], Dating()).ts_us.to_pylist() == [
            NO_TIME,
            us_of(AT.replace(hour=10, minute=0, second=0, microsecond=0)),
            NO_TIME,
        ]
        assert read_stamps(texts[:0], Dating()).ts_us.to_pylist() == []
