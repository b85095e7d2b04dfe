"""A store's life while its clock moves: lines of all times, refreshes, and steps of the clock, in any order.

Each step is a pair of what happens and a number of seconds: how far a line lies from the clock, or how far the clock
moves. The lines are drawn around the places where a refresh may leave one out: now, the edge of a day and ten periods
(as far back as a policy of TimescaleDB's reaches), and whole days.
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
    """Return what may happen; ``has_policy``: something besides the refresh moves what is materialized."""
    kinds = [_LINES, _LINES, _CLOCK, _REFRESH, *([_POLICY] if has_policy else [])]
    return st.lists(st.one_of(*kinds), min_size=4, max_size=40)
