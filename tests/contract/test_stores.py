"""Which stores this run has not asked: loudly, and once."""

import pytest

from contract.differences import DUCKDB, POSTGRESQL, STORES
from contract.elsewhere import ELSEWHERE
from puppylog.stores.connect import is_postgresql


@pytest.mark.parametrize("name", ELSEWHERE)
def test_somebody_offers_a_server_for_this_store(name: str) -> None:
    if not ELSEWHERE[name].url:
        pytest.skip(ELSEWHERE[name].missing)
    assert is_postgresql(ELSEWHERE[name].url)


def test_every_store_is_brought_along_or_elsewhere() -> None:
    assert {DUCKDB, POSTGRESQL, *ELSEWHERE} == STORES
