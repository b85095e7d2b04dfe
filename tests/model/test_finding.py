import pytest

from puppylog.model.finding import Health, format_age


def test_a_warning_and_what_is_wrong_want_somebody_to_act() -> None:
    assert [health for health in Health if health.is_bad] == [Health.WARNING, Health.WRONG]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-0.2, "0 s"),
        (4.4, "4 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_it_fills(seconds: float, text: str) -> None:
    assert format_age(seconds) == text
