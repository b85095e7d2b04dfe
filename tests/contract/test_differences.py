"""The table of differences is neither too long nor too short."""

from pathlib import Path

import pytest

from contract import differences
from contract.differences import DIFFERENCES, STORES, Difference

TESTS = [path for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_differences.py"]


def test_every_difference_is_in_the_table() -> None:
    declared = {name: value for name, value in vars(differences).items() if isinstance(value, Difference)}
    assert declared == DIFFERENCES


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_declared_difference_has_known_stores_and_is_used_by_a_test(name: str) -> None:
    difference = DIFFERENCES[name]
    assert difference.stores
    assert difference.stores < STORES
    assert difference.reason
    assert any(name in path.read_text(encoding="utf-8").split("import", 1)[1].partition("\n\n\n")[2] for path in TESTS)


def test_no_contract_test_depends_on_the_name_of_a_store() -> None:
    for path in TESTS:
        text = path.read_text(encoding="utf-8")
        assert "server.name ==" not in text, path
        assert not any(f'"{store}"' in text for store in STORES), path
