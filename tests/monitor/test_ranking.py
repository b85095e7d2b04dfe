from datetime import UTC, datetime, timedelta

import pytest

from puppylog.monitor.ranking import GREATEST, MEAN, SUM, rank_segments
from puppylog.monitor.steps import Ends
from support.memory import MemoryReader

START = datetime(2026, 3, 1, tzinfo=UTC)
QUERY = "SELECT bucket, segment, value FROM metrics.hits WHERE bucket >= $since::TIMESTAMPTZ"
SINCE = {"since": START.isoformat()}


def make_hits(reader: MemoryReader, rows: list[tuple[int, str | None, float | None]]) -> None:
    reader.make_metric("hits", [])
    for at_s, segment, value in rows:
        reader.connection.execute(
            "INSERT INTO metrics.hits VALUES (?, ?, ?)", (START + timedelta(seconds=at_s), segment, value)
        )


ROWS: list[tuple[int, str | None, float | None]] = [
    *((10 * no, "steady", 2.0) for no in range(5)),
    (0, "peak", 7.0),
    (40, "small", 1.0),
    (50, None, 3.0),
    (60, "", 0.5),
    (60, "odd", float("inf")),
    (60, "unknown", None),
]


@pytest.mark.parametrize(
    ("size", "chosen", "rest"),
    [
        (SUM, {"steady", "peak"}, 4.5),
        (MEAN, {None, "peak"}, 3.5),
        (GREATEST, {None, "peak"}, 3.5),
    ],
)
def test_the_largest_segments_are_ranked_and_the_others_are_summed_up(
    size: str, chosen: set[str | None], rest: float
) -> None:
    with MemoryReader() as reader:
        make_hits(reader, ROWS)
        largest = rank_segments(reader, QUERY, SINCE, size=size, most=2)
    assert set(largest.table["segment"].to_pylist()) == chosen
    assert largest.table.num_rows == sum(segment in chosen for _, segment, _ in ROWS)
    assert (largest.left_out, largest.rest, largest.buckets) == (5, rest, 7)
    assert largest.observed == Ends(START, START + timedelta(seconds=60))


def test_all_segments_are_there_if_they_are_few() -> None:
    with MemoryReader() as reader:
        make_hits(reader, ROWS)
        largest = rank_segments(reader, QUERY, SINCE, size=SUM, most=20)
    assert largest.table.num_rows == len(ROWS)
    assert (largest.left_out, largest.rest) == (0, 0)


def test_a_metric_without_observations_has_no_largest_segment() -> None:
    with MemoryReader() as reader:
        make_hits(reader, [])
        largest = rank_segments(reader, QUERY, SINCE, size=SUM, most=3)
    assert (largest.table.num_rows, largest.observed, largest.left_out) == (0, None, 0)
