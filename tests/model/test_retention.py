"""Which records are kept: the checks of the values, and the time that counts for a group."""

import pytest

from puppylog.errors import UsageError
from puppylog.model.retention import KEEP_ALL, Retention

DAY_S = 86_400


def test_a_new_store_keeps_all_records() -> None:
    assert KEEP_ALL.is_empty
    assert KEEP_ALL.find_group_keep_s("shop") is None


def test_the_shorter_time_counts_for_a_group() -> None:
    kept = Retention(30 * DAY_S, (("shop", 7 * DAY_S), ("audit", 365 * DAY_S)))
    assert [kept.find_group_keep_s(group) for group in ("shop", "audit", "other", None)] == [
        7 * DAY_S,
        30 * DAY_S,
        30 * DAY_S,
        30 * DAY_S,
    ]
    assert Retention(groups=(("shop", DAY_S),)).find_group_keep_s(None) is None


def test_the_order_of_the_groups_does_not_matter() -> None:
    pairs = (("shop", DAY_S), ("audit", DAY_S))
    assert Retention(groups=pairs) == Retention(groups=pairs[::-1])
    assert hash(Retention(groups=pairs)) == hash(Retention(groups=pairs[::-1]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"keep_s": 60}, "cannot use keep 1m: it must be 1h to 24855d"),
        ({"groups": (("shop", 60),)}, "cannot use keep of group 'shop' 1m: it must be 1h to 24855d"),
        ({"groups": (("shop", DAY_S), ("shop", DAY_S))}, "cannot use retention of group 'shop': it is given twice"),
        ({"max_bytes": 1000}, "cannot use maximum size 1 kB: it must be at least 50 MB"),
        ({"archive": "backup"}, "cannot use archive 'backup': its path must be absolute"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        Retention(**values)  # type: ignore[arg-type] # values of any type
    assert refused.value.message == message
