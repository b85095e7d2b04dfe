"""Ranges made of cells have the instants of the ranges."""

from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.logql.windows import Steps, Windows

STEPS = st.builds(Steps, st.integers(-50, 50), st.integers(1, 20), st.integers(1, 12))
WINDOWS = st.builds(Windows, STEPS, st.integers(1, 60), st.integers(-20, 20))


@given(WINDOWS, st.lists(st.integers(-200, 300), max_size=40))
def test_the_cells_of_a_range_have_exactly_its_instants(windows: Windows, instants: list[int]) -> None:
    step, length, offset = windows.steps.step_us, windows.range_us, windows.offset_us
    cells: dict[int, list[int]] = {}
    for instant in instants:
        if windows.since_us <= instant < windows.until_us:
            place = instant + windows.shift_us
            assert place >= 0
            cells.setdefault(2 * (place // step) + (place % step >= windows.bound_us), []).append(instant)
    counted = windows.slide(cells, lambda parts: float(sum(map(len, parts))))
    for at, found in zip(windows.steps.instants_us, counted, strict=True):
        expected = sum(at - offset - length < instant <= at - offset for instant in instants)
        assert found == (expected or None)
