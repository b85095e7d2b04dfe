import pytest

from puppylog.serve import failed_attempts
from puppylog.serve.failed_attempts import BURST, REFILL_S, FailedAttempts


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_may_try_some_wrong_tokens_and_then_one_every_few_seconds() -> None:
    clock = Clock()
    failed = FailedAttempts(clock)
    for _ in range(BURST):
        assert failed.find_wait_s("192.0.2.1") == 0
        failed.add("192.0.2.1")
    assert failed.find_wait_s("192.0.2.1") == pytest.approx(REFILL_S)
    assert failed.find_wait_s("192.0.2.2") == 0
    clock.now += REFILL_S
    assert failed.find_wait_s("192.0.2.1") == 0
    failed.add("192.0.2.1")
    assert failed.find_wait_s("192.0.2.1") == pytest.approx(REFILL_S)
    clock.now += BURST * REFILL_S
    for _ in range(BURST):
        assert failed.find_wait_s("192.0.2.1") == 0
        failed.add("192.0.2.1")


def test_the_addresses_of_a_network_of_ipv6_count_together() -> None:
    failed = FailedAttempts(Clock())
    for number in range(BURST):
        failed.add(f"2001:db8::{number}")
    assert failed.find_wait_s("2001:db8::ffff") > 0
    assert failed.find_wait_s("2001:db8:0:1::") == 0


def test_many_addresses_use_limited_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_attempts, "_MOST", 3)
    failed = FailedAttempts(Clock())
    for _ in range(BURST):
        failed.add("192.0.2.1")
    failed.add("192.0.2.2")
    failed.add("192.0.2.1")
    for number in range(3, 5):
        failed.add(f"192.0.2.{number}")
    assert failed.find_wait_s("192.0.2.1") > 0
    for number in range(5, 8):
        failed.add(f"192.0.2.{number}")
    assert failed.find_wait_s("192.0.2.1") == 0
