"""How long a question about many records may take, and how far it got: an incomplete answer says where it ends.

A store cannot say how long a query will take. So a small part of the records is asked first, the newest or the oldest,
and the time that it took decides how wide the next part is. An answer is whole if all parts fitted into the time.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

GROWTH: Final = 8
"""By how much each part is wider than the one before, so that a question about everything takes few queries."""

_SAFETY: Final = 0.8  # of the time that is left is planned: records are not equally dense
_MIN_GROWTH: Final = 1 / GROWTH  # a part that is narrower than the one before by this factor is not worth a query


@dataclass(slots=True)
class Budget:
    """The time for one question.

    Attributes:
        seconds: how long the parts of the question may take together. Infinite: all parts are asked.
        clock: returns seconds.
        part_s: how long one part should take, so that its asker sees progress.
        reached: where the question ended because the time was over; None: it is complete.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    part_s: float = math.inf
    reached: datetime | None = field(default=None, init=False)
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        self._ends = self.clock() + self.seconds

    def grow(self, started: float) -> float:
        """Return by how much the next part may be wider than the part that was asked from ``started`` until now.

        0: the time is over.
        """
        now = self.clock()
        took, left = now - started, self._ends - now
        if left <= 0:
            return 0
        if took <= 0:
            return float(GROWTH)
        growth = min(float(GROWTH), _SAFETY * left / took)
        return min(growth, max(self.part_s / took, _MIN_GROWTH)) if growth >= _MIN_GROWTH else 0
