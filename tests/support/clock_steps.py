"""Random histories of a store whose clock moves: lines of all times, refreshes, and steps of the clock, in any order.

Each step is a pair of an event and a number of seconds: the distance of a line from the clock, or the distance by which
the clock moves. Lines are drawn near the times at which a refresh could miss them: now, a day, a day and ten periods
(the range of a policy of TimescaleDB), and two days ago.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from hypothesis import strategies as st

Step: TypeAlias = tuple[Literal["line", "clock", "refresh", "policy"], int]

DAY_S: Final = 86_400
PERIODS: Final = (1, 10, 60)

_PLACES: Final = (0, -60, -3600, -DAY_S, -DAY_S - 10, -DAY_S - 100, -DAY_S - 600, -2 * DAY_S, 3600)
_LINES: Final = st.tuples(st.sampled_from(_PLACES), st.integers(-15, 15)).map(lambda parts: ("line", sum(parts)))
_CLOCK: Final = st.tuples(
    st.just("clock"),
    st.one_of(st.integers(0, 90), st.sampled_from([-5, -90, -3600, -DAY_S, 3600, DAY_S - 5, DAY_S + 5, DAY_S + 700])),
)
_REFRESH: Final = st.tuples(st.just("refresh"), st.just(0))
_POLICY: Final = st.tuples(st.just("policy"), st.just(0))


def clock_steps(*, has_policy: bool) -> st.SearchStrategy[Sequence[Step]]:
    """Return a strategy for histories. ``has_policy``: a policy of TimescaleDB materializes, too."""
    kinds = [_LINES, _LINES, _CLOCK, _REFRESH, *([_POLICY] if has_policy else [])]
    return st.lists(st.one_of(*kinds), min_size=4, max_size=40)
