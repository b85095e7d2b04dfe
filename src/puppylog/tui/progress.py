"""How far a collector is: a line that is drawn again and again, with a rate and the time that is left."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from puppylog.tui.chart import bar
from puppylog.tui.live import Line, Live
from puppylog.tui.number import format_bytes, format_duration, format_number

# Rates are of so long: short enough to follow a disk that slows down, long enough not to flicker.
_WINDOW_S: Final = 10.0
_BAR_CELLS: Final = 20


@dataclass(slots=True)
class ProgressLine:
    """Shows how many of how many bytes are done. Not for several threads at once: the caller has a lock."""

    live: Live
    clock: Callable[[], float] = time.monotonic
    _samples: deque[tuple[float, int, int]] = field(default_factory=deque, init=False)

    def show(self, *, bytes_done: int, bytes_total: int, lines: int) -> None:
        """Draw the line anew."""
        now = self.clock()
        self._samples.append((now, bytes_done, lines))
        while now - self._samples[0][0] > _WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        since, bytes_then, lines_then = self._samples[0]
        passed_s = max(now - since, 1e-9)
        bytes_rate, lines_rate = (bytes_done - bytes_then) / passed_s, (lines - lines_then) / passed_s
        parts = [f"{format_number(lines)} lines", f"{format_number(round(lines_rate))} lines/s"]
        if bytes_done < bytes_total:
            share = bytes_done / bytes_total
            left = format_duration((bytes_total - bytes_done) / bytes_rate) if bytes_rate > 0 else "?"
            parts = [
                f"{share:4.0%} {bar(share, 1.0, _BAR_CELLS):{_BAR_CELLS}}",
                f"{format_bytes(bytes_done)} of {format_bytes(bytes_total)}",
                f"{format_bytes(bytes_rate)}/s",
                *parts,
                f"{left} left",
            ]
        self.live.show([Line("  ".join(parts))])

    def clear(self) -> None:
        """Take the line away."""
        self.live.clear()
