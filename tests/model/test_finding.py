import pytest

from puppylog.model.finding import Health, format_age


def test_only_warning_and_wrong_are_bad() -> None:
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
def test_an_age_is_written_in_whole_units(seconds: float, text: str) -> None:
    assert format_age(seconds) == text
