"""Of costly cases, each run tests half, and no case is left out for ever."""

from support.sampling import choose_half

STORES = [f"tests/contract/test_late.py::test_a_line[{store}]" for store in ("duckdb", "postgresql")]
FAULTS = [f"tests/remote/test_once.py::test_a_batch[{fault}]" for fault in "abcde"]
VIEWS = [f"tests/page/test_{view}.py::test_it" for view in ("alerts", "lines", "tail")]
ONLY = ["tests/endtoend/test_alone.py::test_it", "tests/endtoend/test_alone.py::test_one_case[a]"]
ALL = [*STORES, *FAULTS, *VIEWS, *ONLY]


def test_half_of_the_cases_of_a_test_and_of_a_folder_are_left_out_rounded_down() -> None:
    for seed in range(20):
        left_out = choose_half(ALL, seed)
        assert [len(left_out.intersection(cases)) for cases in (STORES, FAULTS, VIEWS, ONLY)] == [1, 2, 1, 0]


def test_each_case_is_tested_in_some_runs() -> None:
    always_left_out = set.intersection(*(choose_half(ALL, seed) for seed in range(20)))
    assert always_left_out == set()


def test_the_seed_decides_and_not_the_order() -> None:
    assert choose_half(ALL, 7) == choose_half(ALL[::-1], 7)
    assert len({frozenset(choose_half(ALL, seed)) for seed in range(20)}) > 10
