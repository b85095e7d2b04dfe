from datetime import UTC, datetime, timedelta

import pytest

from puppylog.model.metric import Metric
from puppylog.monitor.range import Range
from puppylog.monitor.ranking import GREATEST, MEAN, SUM, LargestSegments, read_largest
from puppylog.monitor.segments import Segments
from support.memory import MemoryReader

START = datetime(2026, 3, 1, tzinfo=UTC)
HITS = Metric("hits", statistic="count", property="*", period_s=10, segment="host")


def make_hits(reader: MemoryReader, rows: list[tuple[int, str | None, float | None]]) -> None:
    reader.make_metric("hits", [])
    for at_s, segment, value in rows:
        reader.connection.execute(
            "INSERT INTO metrics.hits VALUES (?, ?, ?)", (START + timedelta(seconds=at_s), segment, value)
        )


def read_hits(reader: MemoryReader, size: str, *, most: int, segments: Segments = None) -> LargestSegments:
    return read_largest(reader, HITS, 10, within=Range(since=START), size=size, most=most, segments=segments)


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
        largest = read_hits(reader, size, most=2)
    assert set(largest.table["segment"].to_pylist()) == chosen
    assert largest.table.num_rows == sum(segment in chosen for _, segment, _ in ROWS)
    assert (largest.left_out, largest.rest) == (5, rest)


def test_all_segments_are_there_if_they_are_few() -> None:
    with MemoryReader() as reader:
        make_hits(reader, ROWS)
        largest = read_hits(reader, SUM, most=20)
    assert largest.table.num_rows == len(ROWS)
    assert (largest.left_out, largest.rest) == (0, 0)


def test_only_the_chosen_segments_are_read_however_many_they_are() -> None:
    with MemoryReader() as reader:
        make_hits(reader, ROWS)
        largest = read_hits(reader, SUM, most=1, segments=["small", None])
    assert largest.table["segment"].to_pylist() == ["small", None]
    assert (largest.left_out, largest.rest) == (0, 0)


def test_a_metric_without_observations_has_no_largest_segment() -> None:
    with MemoryReader() as reader:
        make_hits(reader, [])
        largest = read_hits(reader, SUM, most=3)
    assert (largest.table.num_rows, largest.left_out) == (0, 0)
