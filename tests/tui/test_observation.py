from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.metric import Metric
from puppylog.model.number import format_number
from puppylog.tui.clean import width_of
from puppylog.tui.observation import Observation, draw_metric

NOON = datetime(2015, 5, 17, 12, tzinfo=UTC)
HITS = Metric("hits", "count", "*", 10)
MEAN = Metric("size", "avg", "response_bytes", 10)
SECTIONS = Metric("sections", "count", "*", 10, "split_part(request_route, '/', 2)")


def rows(*observed: tuple[int, str | None, float | None]) -> list[Observation]:
    return [Observation(NOON + timedelta(seconds=10 * bucket), segment, value) for bucket, segment, value in observed]


def test_a_metric_without_observations_says_so() -> None:
    assert draw_metric(HITS, [], width=80, zone=UTC, now=NOON) == ["hits: count of * every 10s", "nothing observed"]


def test_one_series_is_drawn_as_columns_in_which_an_empty_bucket_of_a_count_is_zero() -> None:
    drawn = draw_metric(HITS, rows((0, None, 4.0), (1, None, 8.0), (3, None, 64.0)), width=100, zone=UTC, now=NOON)
    assert drawn == [
        "hits: count of * every 10s",
        "12:00:00 to 12:00:30",
        "64 │   █",
        "   │   █",
        "   │   █",
        "   │   █",
        "   │   █",
        "   │   █",
        "   │ ▁ █",
        " 0 │▅█▁█",
        "last 64  min 0  mean 19  max 64",
    ]


def test_an_empty_bucket_of_a_mean_is_a_gap() -> None:
    drawn = draw_metric(MEAN, rows((0, None, 4.0), (2, None, None), (3, None, 2.0)), width=100, zone=UTC, now=NOON)
    assert drawn[-2:] == ["0 │█  █", "last 2  min 2  mean 3  max 4"]


def test_a_chart_covers_the_buckets_that_were_asked_for() -> None:
    ends = NOON - timedelta(seconds=20), NOON + timedelta(seconds=30)
    drawn = draw_metric(HITS, rows((0, None, 4.0), (1, None, 8.0)), width=100, zone=UTC, now=NOON, ends=ends)
    assert drawn[1] == "11:59:40 to 12:00:30"
    assert drawn[-2:] == ["0 │▁▁██▁▁", "last 0  min 0  mean 2  max 8"]
    mean = draw_metric(MEAN, rows((0, None, 4.0), (1, None, 8.0)), width=100, zone=UTC, now=NOON, ends=ends)
    assert mean[-2:] == ["0 │  ██", "last 8  min 4  mean 6  max 8"]
    split = draw_metric(SECTIONS, rows((0, "shop", 4.0)), width=60, zone=UTC, now=NOON, ends=ends)
    assert split[-1].endswith("  ▁▁█▁▁▁")


def test_a_range_without_observations_says_so() -> None:
    drawn = draw_metric(HITS, [], width=80, zone=UTC, now=NOON, ends=(NOON - timedelta(hours=2), NOON))
    assert drawn == ["hits: count of * every 10s", "10:00 to 12:00: nothing observed"]


def test_segments_are_drawn_as_bars_the_largest_first() -> None:
    observed = rows((0, "shop", 10.0), (0, "", 2.0), (1, "shop", 10.0), (1, None, 5.0), (2, "\x1b[2J", 1.0))
    assert draw_metric(SECTIONS, observed, width=60, zone=UTC, now=NOON)[2:] == [
        "sums, 12:00:00 to 12:00:20",
        "shop     20  ██████████████████████████████████████████  ██▁",
        "(none)    5  ██████████▌                                 ▁█▁",
        "(empty)   2  ████▎                                       █▁▁",
        r"\x1b[2J   1  ██▏                                         ▁▁█",
    ]


def test_only_the_largest_segments_are_shown() -> None:
    drawn = draw_metric(SECTIONS, rows(*((0, f"s{i:02}", float(i)) for i in range(25))), width=80, zone=UTC, now=NOON)
    assert drawn[2].startswith("s24")
    assert len(drawn) == 23
    assert drawn[-1] == "and 5 more segments"


def test_segments_that_the_store_has_left_out_are_said_with_their_sum() -> None:
    observed = rows((0, "shop", 10.0), (0, "blog", 2.0))
    drawn = draw_metric(SECTIONS, observed, width=60, zone=UTC, now=NOON, left_out=99_980, rest=1234.0)
    assert drawn[-1] == f"and 99,980 more segments, {format_number(1234.0)} together"


OBSERVED = st.lists(
    st.tuples(st.integers(0, 5000), st.none() | st.text(max_size=40), st.none() | st.floats()), min_size=1, max_size=40
)


@given(OBSERVED, st.integers(40, 120), st.sampled_from([HITS, MEAN, SECTIONS]))
def test_no_chart_is_wider_than_its_terminal(
    observed: list[tuple[int, str | None, float | None]], width: int, metric: Metric
) -> None:
    in_order = rows(*sorted(observed, key=lambda row: row[0]))
    assert all(width_of(line) <= width for line in draw_metric(metric, in_order, width=width, zone=UTC, now=NOON))
