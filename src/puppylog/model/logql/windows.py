"""The time ranges that end at the steps of a metric query, made of cells that a store can count.

A range of the length r that ends at the step t has the instants after t - r up to and including t. The ends and the
starts of all ranges divide the time into cells, two for each step at most, and each range is made of consecutive cells.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Steps:
    """The instants at which a metric is evaluated, in microseconds since the epoch."""

    start_us: int
    step_us: int
    count: int

    @property
    def instants_us(self) -> range:
        return range(self.start_us, self.start_us + self.count * self.step_us, self.step_us)


@dataclass(frozen=True, slots=True)
class Windows:
    """The ranges of an aggregation. ``range_us`` and ``offset_us`` are in microseconds."""

    steps: Steps
    range_us: int
    offset_us: int = 0

    @property
    def since_us(self) -> int:
        """The first instant in a range."""
        return self.steps.start_us - self.offset_us - self.range_us + 1

    @property
    def until_us(self) -> int:
        """The instant after the last one in a range."""
        return self.steps.start_us - self.offset_us + (self.steps.count - 1) * self.steps.step_us + 1

    @property
    def is_one_cell(self) -> bool:
        """Whether each range is one cell: it begins where the range of the step before ends."""
        return self.range_us == self.steps.step_us

    @property
    def _whole(self) -> int:
        """The number of whole steps in a range."""
        return self.range_us // self.steps.step_us

    @property
    def _rest_us(self) -> int:
        return self.range_us % self.steps.step_us

    @property
    def shift_us(self) -> int:
        """What is added to an instant, so that it counts from the first cell on. The sum is never negative."""
        before = (self._whole + 1) * self.steps.step_us
        return before - 1 - (self.steps.start_us - self.offset_us)

    @property
    def bound_us(self) -> int:
        """Where the second cell of a step begins: the start of a range."""
        return self.steps.step_us - self._rest_us

    def cells_of(self, step: int) -> tuple[int, int]:
        """Return the first cell of the range that ends at a step, and the one after its last cell."""
        end = 2 * (step + self._whole + 1)
        start = 2 * (step + 1) - (1 if self._rest_us else 0)
        return start, end

    def slide(self, cells: Mapping[int, T], combine: Callable[[Sequence[T]], float]) -> list[float | None]:
        """Return a value for each step: what ``combine`` makes of the cells of its range; None if it has none."""
        numbers = sorted(cells)
        contents = [cells[number] for number in numbers]
        values: list[float | None] = []
        for step in range(self.steps.count):
            start, end = self.cells_of(step)
            found = contents[bisect_left(numbers, start) : bisect_left(numbers, end)]
            values.append(combine(found) if found else None)
        return values
