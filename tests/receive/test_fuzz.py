"""Damaged requests are decoded or refused, and every row of them fits the store."""

import os

import pytest

from receive.fuzz import TARGETS, fuzz

INPUTS = int(os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "1000"))  # damaged records for each decoder


@pytest.mark.sampled
@pytest.mark.timeout(3600)  # of `make soak`
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_requests_are_decoded_or_refused(name: str) -> None:
    done, refused, rows = fuzz(name, INPUTS, 1)
    assert done >= INPUTS - 50
    assert rows > 0
    assert refused < done // 50
