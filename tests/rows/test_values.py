from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from puppylog.rows.plain import Plain, text_of
from puppylog.rows.values import are_numbers, plain_column, plain_rows

AT = datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("column", "zone", "plain"),
    [
        (pa.array([AT], pa.timestamp("us", "UTC")), UTC, "2015-05-17T10:05:03+00:00"),
        (pa.array([AT], pa.timestamp("us", "UTC")), BERLIN, "2015-05-17T12:05:03+02:00"),
        (pa.array([1431857103000000001], pa.timestamp("ns", "UTC")), UTC, "2015-05-17T10:05:03+00:00"),
        (pa.array([AT.replace(tzinfo=None)], pa.timestamp("us")), BERLIN, "2015-05-17T10:05:03"),
        (pa.array([time(1, 2)], pa.time64("us")), UTC, "01:02:00"),
        (pa.array([Decimal(2)], pa.decimal128(38, 0)), UTC, 2),
        (pa.array([Decimal("2.5")], pa.decimal128(5, 2)), UTC, 2.5),
        (pa.array([float("inf")]), UTC, None),
        (pa.array([b"\xff\x00a"]), UTC, "\\xff\x00a"),
        (pa.array([{"at": AT}]), BERLIN, {"at": "2015-05-17T12:05:03+02:00"}),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), UTC, [["k", 1]]),
        (pa.array(["x"]).dictionary_encode(), UTC, "x"),
        (pa.array([pa.MonthDayNano([1, 2, 3_500_000_000])]), UTC, "P1M2DT3.5S"),
        (pa.array([timedelta(seconds=1)], pa.duration("us")), UTC, "0:00:01"),
    ],
)
def test_a_value_is_converted_to_a_plain_value(column: pa.Array, zone: tzinfo, plain: Plain) -> None:
    assert plain_column(column, zone) == [plain]


def test_an_instant_that_python_cannot_hold_is_written_as_text() -> None:
    column = pa.array([2**62], pa.int64()).cast(pa.timestamp("us", "UTC"))
    [text] = plain_column(column, UTC)
    assert isinstance(text, str)
    assert text


def test_an_instant_at_the_end_of_the_calendar_stays_in_utc() -> None:
    column = pa.array([datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    assert plain_column(column, BERLIN) == ["9999-12-31T23:59:59+00:00"]


def test_a_json_column_is_decoded_and_invalid_json_stays_text() -> None:
    column = pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(['{"a": [1]}', "{", None]))
    assert plain_column(column, UTC) == [{"a": [1]}, "{", None]


def test_columns_are_converted_to_rows() -> None:
    batch = pa.RecordBatch.from_pydict({"a": [1, 2], "b": ["x", None]})
    assert plain_rows(batch, UTC) == [(1, "x"), (2, None)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "true"),
        (3.0, "3"),
        (0.25, "0.25"),
        (1e300, "1e+300"),
        (["a", None], '["a", null]'),
        (7, "7"),
    ],
)
def test_a_plain_value_is_written_as_text(value: Plain, text: str) -> None:
    assert text_of(value, null="-") == text


def test_columns_of_numbers_are_found_by_their_type() -> None:
    schema = pa.schema([("a", pa.int16()), ("b", pa.string()), ("c", pa.float64()), ("d", pa.decimal128(3, 1))])
    assert are_numbers(schema) == [True, False, True, True]
