from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.monitor.counting import Bin, Pattern
from puppylog.tui.bar import draw_bins, draw_patterns, draw_top, format_share, wrap_label
from puppylog.tui.clean import width_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=3)
ROWS = [("Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0", 1500), (None, 399), ("", 100), ("curl\x1b[2J", 1)]
TOP = {
    40: """
1,500  75.0 %  Mozilla/5.0 (X11; Linux
               x86_64) Firefox/144.0
  399  19.9 %  (none)
  100   5.0 %  (empty)
    1   0.1 %  curl\\x1b[2J
""",
    80: """
1,500  75.0 %  ███████████████████████  Mozilla/5.0 (X11; Linux x86_64)
                                        Firefox/144.0
  399  19.9 %  ██████▏                  (none)
  100   5.0 %  █▌                       (empty)
    1   0.1 %  ▏                        curl\\x1b[2J
""",
    160: """
1,500  75.0 %  ████████████████████████████████████████  Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0
  399  19.9 %  ██████████▋                               (none)
  100   5.0 %  ██▋                                       (empty)
    1   0.1 %  ▏                                         curl\\x1b[2J
""",
}
BINS = [Bin(0, 1, 0), Bin(1, 2, 10), Bin(2, 5, 0), Bin(5, 10, 3990), Bin(10, 20, 0)]
BINNED = {
    20: """
1 to   2     10
2 to   5      0
5 to  10  3,990
""",
    40: """
1 to   2     10   0.2 %  ▏
2 to   5      0   0.0 %
5 to  10  3,990  99.8 %  ███████████████
""",
}
SHAPES = [
    Pattern(
        "cannot reach * service at *:*: connection refused",
        1500,
        NOON,
        NOON + timedelta(days=2),
        "cannot reach order service at 10.0.0.1:8080: connection refused\n  at connect",
    ),
    Pattern("", 2, NOON, NOON, ""),
]
PATTERNS = {
    40: """
1,500  99.9 %  cannot reach * service at
               *:*: connection refused
  1 Mar 12:00 to 3 Mar 12:00
  e.g. cannot reach order service at
       10.0.0.1:8080: connection refused
    2   0.1 %  (empty)
  1 Mar 12:00
""",
    80: """
1,500  99.9 %  cannot reach * service at *:*: connection refused
               1 Mar 12:00 to 3 Mar 12:00
               e.g. cannot reach order service at 10.0.0.1:8080: connection
                    refused
    2   0.1 %  (empty)
               1 Mar 12:00
""",
    160: """
1,500  99.9 %  cannot reach * service at *:*: connection refused
               1 Mar 12:00 to 3 Mar 12:00
               e.g. cannot reach order service at 10.0.0.1:8080: connection refused
    2   0.1 %  (empty)
               1 Mar 12:00
""",
}


@pytest.mark.parametrize("width", TOP)
def test_values_are_drawn_with_count_share_and_bar(width: int) -> None:
    assert [line.rstrip() for line in draw_top(ROWS, 2000, width)] == TOP[width].strip("\n").split("\n")


@pytest.mark.parametrize("width", BINNED)
def test_bins_are_drawn_without_the_empty_ones_at_both_ends(width: int) -> None:
    assert [line.rstrip() for line in draw_bins(BINS, width)] == BINNED[width].strip("\n").split("\n")


@pytest.mark.parametrize("width", PATTERNS)
def test_patterns_are_drawn_with_their_times_and_an_example(width: int) -> None:
    assert draw_patterns(SHAPES, 1502, width, zone=UTC, now=NOW) == PATTERNS[width].strip("\n").split("\n")


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw_top([], 0, 80) == draw_bins([], 80) == draw_patterns([], 0, 80, zone=UTC, now=NOW) == []


@pytest.mark.parametrize(
    ("count", "records", "share"),
    [(0, 0, "-"), (0, 9, "0.0 %"), (1, 9999, "<0.1 %"), (9998, 9999, ">99.9 %"), (2, 2, "100 %"), (1, 2, "50.0 %")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(count: int, records: int, share: str) -> None:
    assert format_share(count, records) == share


@given(st.lists(st.tuples(st.text(max_size=60), st.integers(0, 10**9)), max_size=5), st.integers(40, 200))
def test_a_line_is_never_wider_than_the_terminal(rows: list[tuple[str, int]], width: int) -> None:
    lines = draw_top(rows, sum(count for _, count in rows), width)
    assert all(width_of(line) <= width for line in lines)


@given(st.text("aé 日", max_size=60), st.integers(4, 30), st.integers(1, 9))
def test_wrapped_text_is_whole_unless_it_has_an_ellipsis(text: str, width: int, lines: int) -> None:
    wrapped = wrap_label(text, width, lines)
    assert len(wrapped) <= lines
    assert all(width_of(line) <= width for line in wrapped)
    if not wrapped[-1].endswith("…"):
        assert "".join(wrapped).replace(" ", "") == text.replace(" ", "")
