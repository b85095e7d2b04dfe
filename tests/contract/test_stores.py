"""Reports once, as skipped tests, which stores this run does not test."""

from pathlib import Path

import pytest

from contract import remote
from contract.differences import DUCKDB, POSTGRESQL, REMOTE, STORES
from contract.elsewhere import ELSEWHERE
from puppylog.stores.connect import is_postgresql


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_server_for_this_store_is_configured(name: str) -> None:
    if not ELSEWHERE[name].url:
        pytest.skip(ELSEWHERE[name].missing)
    assert is_postgresql(ELSEWHERE[name].url)


def test_the_whole_suite_runs_on_remote_stores() -> None:
    if not remote.IS_WHOLE:
        pytest.skip(remote.MISSING)
    assert REMOTE


def test_the_tests_that_always_run_on_remote_stores_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    assert [name for name in remote.ALWAYS if not any(f"def {name}(" in text for text in texts)] == []


def test_every_store_is_started_by_the_tests_or_configured() -> None:
    assert {DUCKDB, POSTGRESQL, *REMOTE, *ELSEWHERE} == STORES
