"""The progress of a collector: a line that is redrawn, with the share done, the rate and the time left."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from puppylog.model.chart import bar
from puppylog.model.number import format_bytes, format_duration, format_number
from puppylog.tui.live import Line, Live

# Rates are averages over this time: short enough to show that a disk slows down, long enough not to flicker.
_WINDOW_S: Final = 10.0
_BAR_CELLS: Final = 20
# What takes no longer than this shows no progress.
_QUIET_S: Final = 0.5


@dataclass(slots=True)
class ProgressLine:
    """Shows how many bytes are done, and of how many, half a second after the first call of `show`.

    Not safe for several threads: the caller holds a lock.
    """

    live: Live
    clock: Callable[[], float] = time.monotonic
    _begun_at: float | None = field(default=None, init=False)
    _samples: deque[tuple[float, int, int]] = field(default_factory=deque, init=False)

    def show(self, *, bytes_done: int, bytes_total: int, lines: int) -> None:
        """Redraw the line, unless the first call was just now."""
        now = self.clock()
        if self._begun_at is None:
            self._begun_at = now
        self._samples.append((now, bytes_done, lines))
        while now - self._samples[0][0] > _WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        if now - self._begun_at < _QUIET_S:
            return
        then, bytes_then, lines_then = self._samples[0]
        elapsed_s = max(now - then, 1e-9)
        bytes_rate, lines_rate = (bytes_done - bytes_then) / elapsed_s, (lines - lines_then) / elapsed_s
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
        """Erase the line."""
        self.live.clear()
