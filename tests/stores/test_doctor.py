from collections.abc import Iterator

from puppylog.errors import StoreError, StoreForbidden
from puppylog.model.finding import Finding, Health
from puppylog.stores.doctor import Capability, findings_of, limit_s, list_capability_findings

SEEN = Finding("jobs", Health.OK, "they run")


def hidden() -> Iterator[Finding]:
    yield SEEN
    raise StoreForbidden(
        "use", "store x", "permission denied for table alerts", advice="see 'puppylog bootstrap --roles'"
    )


def broken() -> Iterator[Finding]:
    yield SEEN
    raise StoreError("use", "store x", "relation is gone")


def test_a_part_that_a_role_may_not_read_gives_a_note() -> None:
    [found] = findings_of("alerts", hidden)
    assert (found.subject, found.state) == ("alerts", Health.NOTE)
    assert found.found == "this role may not see it: permission denied for table alerts"


def test_a_part_that_cannot_be_read_for_another_reason_is_wrong() -> None:
    assert findings_of("alerts", broken) == [Finding("alerts", Health.WRONG, "cannot use store x: relation is gone")]


def test_a_part_that_can_be_read_gives_its_findings() -> None:
    assert findings_of("jobs", lambda: [SEEN]) == [SEEN]


def test_a_missing_capability_is_a_note_that_says_why() -> None:
    found = list_capability_findings(
        [Capability("flying", False, "it has no wings"), Capability("running", True, "on legs")]
    )
    assert [(one.subject, one.state, one.found) for one in found] == [
        ("capability flying", Health.NOTE, "no: it has no wings"),
        ("capability running", Health.OK, "yes: on legs"),
    ]


def test_a_job_is_late_after_ten_periods_but_not_before_a_minute() -> None:
    assert (limit_s(1), limit_s(6), limit_s(10)) == (60, 60, 100)
