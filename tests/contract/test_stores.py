"""Reports once, as skipped tests, which stores this run does not test."""

import pytest

from contract.differences import DUCKDB, POSTGRESQL, STORES
from contract.elsewhere import ELSEWHERE
from puppylog.stores.connect import is_postgresql


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_server_for_this_store_is_configured(name: str) -> None:
    if not ELSEWHERE[name].url:
        pytest.skip(ELSEWHERE[name].missing)
    assert is_postgresql(ELSEWHERE[name].url)


def test_every_store_is_started_by_the_tests_or_configured() -> None:
    assert {DUCKDB, POSTGRESQL, *ELSEWHERE} == STORES
