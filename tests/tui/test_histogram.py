import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from puppylog.monitor.counting import Histogram, Series
from puppylog.tui.clean import width_of
from puppylog.tui.histogram import draw_histogram, fit_steps

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=3)
STACKED = Histogram(
    NOON,
    300,
    [
        Series("200", [5, 6, 7, 8, 0, 9, 3]),
        Series(None, [1, 0, 0, 4, 0, 0, 0]),
        Series("5\x1b[2J", [0, 0, 3, 1, 0, 0, 0]),
    ],
    Series("other", [0, 0, 0, 0, 0, 1, 0]),
    3,
)
PLAIN = Histogram(NOON, 60, [Series("records", [max(0, at % 40 - 3) for at in range(200)])])
DRAWN = {
    40: """
48 records
1 Mar 12:00 to 12:35
5m a column, at most 13
13 │            ----
   │        BBBB----    AAAA
   │        AAAAAAAA    AAAA
   │AAAAAAAAAAAAAAAA    AAAA
 0 │AAAAAAAAAAAAAAAA    AAAAAAAA
   └┬───────┬───────┬───────────
    12:00   12:10   12:20
A 200             38  79.2 %  ▅▆▆▇ █▃
- (none)           5  10.4 %  ▃  █
B 5\\x1b[2J         4   8.3 %    █▃
+ 3 other values   1   2.1 %       █
""",
    80: """
3,330 records, 1 Mar 12:00 to 15:20, 3m a column, at most 105
105 │         ▁▃▅▇         ▁▃▅▇▁         ▂▄▆█         ▁▃▅▇         ▁▃▅▇▁
    │     ▂▄▅▇████▁    ▁▃▅▇█████     ▂▄▆█████     ▂▄▅▇████▁    ▁▃▅▇█████
  0 │ ▂▄▆██████████▁▃▅▇█████████ ▂▄▆█████████ ▂▄▆██████████▁▃▅▇█████████
    └┬───────┬───────┬───────┬───────┬───────┬───────┬───────┬──────────
     12:00   12:24   12:48   13:12   13:36   14:00   14:24   14:48
""",
    160: """
3,330 records, 1 Mar 12:00 to 15:20, 2m a column, at most 71
71 │              ▂▃▄▅▇█              ▂▃▄▅▇█              ▂▃▄▅▇█              ▂▃▄▅▇█              ▂▃▄▅▇█
   │        ▂▃▄▆▇███████        ▂▃▄▆▇███████        ▂▃▄▆▇███████        ▂▃▄▆▇███████        ▂▃▄▆▇███████
 0 │  ▂▃▅▆▇█████████████  ▂▃▅▆▇█████████████  ▂▃▅▆▇█████████████  ▂▃▅▆▇█████████████  ▂▃▅▆▇█████████████
   └┬───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────────
    12:00   12:16   12:32   12:48   13:04   13:20   13:36   13:52   14:08   14:24   14:40   14:56
""",
}


@pytest.mark.parametrize("width", DRAWN)
def test_a_histogram_is_drawn_as_columns_over_time(width: int) -> None:
    histogram, height = (STACKED, 5) if width == 40 else (PLAIN, 3)
    assert draw_histogram(histogram, width, zone=UTC, now=NOW, height=height) == DRAWN[width].strip("\n").split("\n")


def test_with_colours_the_columns_are_blocks_of_the_same_shape() -> None:
    def shape_of(lines: list[str]) -> list[str]:
        return [re.sub(r"\x1b\[\d+m", "", line).rstrip() for line in lines]

    colored = draw_histogram(STACKED, 40, zone=UTC, now=NOW, height=5, color=True)
    plain = draw_histogram(STACKED, 40, zone=UTC, now=NOW, height=5)
    columns = slice(3, 8)
    assert shape_of(colored)[columns] == [re.sub(r"[-AB+]", "█", line) for line in plain[columns]]
    assert len({mark for line in colored[-4:] for mark in re.findall(r"^\x1b\[\d+m█", line)}) == 4


def test_times_are_those_of_the_zone() -> None:
    lines = draw_histogram(STACKED, 80, zone=ZoneInfo("Asia/Kolkata"), now=NOW)
    assert "1 Mar 17:30 to 18:05" in lines[0]
    assert lines[12].split() == ["17:30", "17:40", "17:50"]


@pytest.mark.parametrize("step_s", [1, 60, 3600, 86_400, 30 * 86_400])
@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int, step_s: int) -> None:
    for steps in (1, 2, fit_steps(width), 5 * width):
        histogram = Histogram(NOON, step_s, [Series("a" * 99, [10**8] * steps), Series(None, [1] * steps)])
        assert max(map(width_of, draw_histogram(histogram, width, zone=UTC, now=NOW))) <= width
