import io
from collections.abc import Iterator

from puppylog.tui.live import Live
from puppylog.tui.progress import ProgressLine


def shown(*steps: tuple[float, int, int, int], columns: int = 120) -> list[str]:
    """Return the lines that are drawn at these (time, bytes done, bytes in all, lines)."""
    out = io.StringIO()
    times: Iterator[float] = iter([at for at, *_ in steps])
    line = ProgressLine(Live(out, False, lambda: (columns, 24)), lambda: next(times))
    for _, done, total, lines in steps:
        line.show(bytes_done=done, bytes_total=total, lines=lines)
    return [
        drawn.split("\x1b[K")[0].removeprefix("\x1b[J").removeprefix("\r\x1b[1A")
        for drawn in out.getvalue().split("\n")
    ][:-1]


def test_what_ends_at_once_shows_no_progress() -> None:
    assert shown((0.0, 0, 0, 0), (0.4, 0, 0, 0)) == []


def test_a_backfill_shows_its_share_its_rates_and_the_time_left() -> None:
    lines = shown((0.0, 0, 400_000_000, 0), (0.5, 0, 400_000_000, 0), (2.0, 100_000_000, 400_000_000, 500_000))
    assert lines[0] == "  0%                       0 B of 400 MB  0 B/s  0 lines  0 lines/s  ? left"
    assert (
        lines[1] == " 25% █████                 100 MB of 400 MB  50 MB/s  500,000 lines  250,000 lines/s  6.0 s left"
    )


def test_a_rate_is_an_average_over_the_last_seconds() -> None:
    steps = [(float(second), 1000 * second, 1000 * second, 1000 * second) for second in range(11)]
    slower = [
        (10.0 + second, 10_000 + 10 * second, 10_000 + 10 * second, 10_000 + 10 * second) for second in range(1, 11)
    ]
    assert shown(*steps)[-1] == "10,000 lines  1,000 lines/s"
    assert shown(*steps, *slower)[-1] == "10,100 lines  10 lines/s"


def test_the_progress_line_never_wraps() -> None:
    assert all(
        len(line) <= 29 for line in shown((0.0, 0, 4 * 10**8, 0), (2.0, 10**8, 4 * 10**8, 5 * 10**5), columns=30)
    )
