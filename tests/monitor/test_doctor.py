from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from puppylog.model.finding import Finding, Health
from puppylog.monitor.collectors import StreamState, list_followed_streams
from puppylog.monitor.doctor import (
    iter_alert_findings,
    iter_clock_findings,
    iter_evaluator_findings,
    iter_stream_findings,
    list_findings,
    list_vital_findings,
)
from puppylog.stores.base import Store
from puppylog.stores.doctor import StoreFindings
from support.memory import MemoryReader

pytestmark = pytest.mark.sampled

RULE = {"statistic": "avg", "comparison": ">", "level": 10.0, "window_s": 120, "period_s": 10, "no_data": "zero"}


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("beat", "is_needed", "state", "found"),
    [
        ({"beat_at": 5}, True, Health.OK, "it ran 5 s ago (as engine)"),
        ({"beat_at": 40}, True, Health.WRONG, "it last ran 40 s ago"),
        ({"beat_at": 40}, False, Health.NOTE, "it last ran 40 s ago"),
        ({"beat_at": 5, "error": "disk full"}, True, Health.WRONG, "its last run failed: disk full"),
        ({}, True, Health.WRONG, "it has never run"),
        ({}, False, Health.NOTE, "it has never run"),
    ],
)
def test_an_evaluator_that_does_not_run_is_wrong_if_it_is_needed(
    reader: MemoryReader, beat: dict[str, Any], is_needed: bool, state: Health, found: str
) -> None:
    if is_needed:
        reader.insert("metrics", id=1, name="hits")
    if beat:
        reader.insert("heartbeat", **{**beat, "evaluator": "engine", "beat_at": ago(beat["beat_at"])})
    [finding] = iter_evaluator_findings(reader)
    assert (finding.state, finding.found) == (state, found)


def test_the_quick_check_points_to_the_whole_one_because_it_shows_no_jobs(reader: MemoryReader) -> None:
    [answers, evaluator] = list_vital_findings(cast("Store", reader), recheck_s=0.0)
    assert (answers.found, evaluator.found) == ("it answers", "it has never run")
    assert evaluator.advice == "'puppylog doctor' shows the jobs, and what is wrong with them"


@pytest.mark.parametrize(
    ("age_s", "error", "state", "found"),
    [
        (45, None, Health.OK, "evaluated 45 s ago"),
        (55, None, Health.WRONG, "it was last evaluated 55 s ago, and is due every 10s"),
        (-90, None, Health.WRONG, "it was last evaluated 1 min ahead of the store's clock, and is due every 10s"),
        (5, "division by zero", Health.WRONG, "its last evaluation failed: division by zero"),
    ],
)
def test_an_alert_is_wrong_when_its_evaluation_fails_or_is_late(
    reader: MemoryReader, age_s: float, error: str | None, state: Health, found: str
) -> None:
    reader.insert("alerts", id=10, name="busy", metric_id=1, evaluated_at=ago(age_s), error=error, **RULE)
    [finding] = iter_alert_findings(reader)
    assert (finding.subject, finding.state, finding.found) == ("alert busy", state, found)


@pytest.mark.parametrize(
    ("claimed", "age_s", "state", "found"),
    [
        ({1}, 5, Health.OK, "followed now; the last lines came 5 s ago, up to byte 1,234 of /var/log/a.log"),
        ({1}, 200_000, Health.NOTE, "followed now; the last lines came 2 d ago, up to byte 1,234 of /var/log/a.log"),
        (
            set(),
            5,
            Health.NOTE,
            "followed by no collector; the last lines came 5 s ago, up to byte 1,234 of /var/log/a.log",
        ),
    ],
)
def test_the_finding_on_a_stream_names_its_newest_file_and_says_whether_it_is_followed(
    reader: MemoryReader, claimed: set[int], age_s: float, state: Health, found: str
) -> None:
    reader.insert("log_streams", id=1, source_uri="file:///var/log/a.log")
    reader.insert("log_files", id=1, stream_id=1, path="/var/log/old", byte_offset=9, moved_at=ago(1), finished=True)
    reader.insert("log_files", id=2, stream_id=1, path="/var/log/a.log", byte_offset=1234, moved_at=ago(age_s))
    [finding] = iter_stream_findings(reader, frozenset(claimed))
    assert (finding.subject, finding.state, finding.found) == ("stream /var/log/a.log", state, found)
    assert bool(finding.advice) is (state is Health.NOTE)


def test_a_stream_may_have_no_file_and_a_file_may_be_read_to_its_end(reader: MemoryReader) -> None:
    reader.insert("log_streams", id=1, source_uri="file:///a")
    reader.insert("log_streams", id=2, source_uri="file:///b")
    reader.insert("log_files", id=2, stream_id=2, path="/b.1", byte_offset=9, moved_at=ago(1), finished=True)
    none, finished = iter_stream_findings(reader, frozenset())
    assert none.found == "followed by no collector; no file of it has been read yet"
    assert finished.found.endswith("up to byte 9 of /b.1, read to its end")


class Recovering(MemoryReader):
    """A store whose findings change with every call."""

    def __init__(self, *states: Health) -> None:
        super().__init__()
        self.states = list(states)

    def list_findings(self) -> StoreFindings:
        return StoreFindings([Finding("server", self.states.pop(0), "it is there")], frozenset())


@pytest.fixture
def recovering(request: pytest.FixtureRequest) -> Iterator[Recovering]:
    with Recovering(*request.param) as store:
        yield store


@pytest.mark.parametrize(
    ("recovering", "state"),
    [
        ([Health.WRONG, Health.OK], Health.OK),
        ([Health.WRONG, Health.WRONG], Health.WRONG),
        ([Health.WARNING], Health.WARNING),
    ],
    indirect=["recovering"],
)
def test_a_finding_is_wrong_only_if_it_is_so_twice(recovering: Recovering, state: Health) -> None:
    findings = list_findings(cast("Store", recovering), recheck_s=0)
    assert [finding.state for finding in findings if finding.subject == "server"] == [state]
    assert recovering.states == []


@pytest.mark.parametrize(
    ("report", "state", "found"),
    [
        ({"problem": "cannot read it"}, Health.WRONG, "it has stalled: cannot read it; followed now; "),
        ({"age_s": 100}, Health.WRONG, "it has stalled: its collector has not reported for 1 min"),
        (
            {"problem": "no such file", "finished": True},
            Health.OK,
            "its file is gone, and every line of it is stored; followed now",
        ),
        ({}, Health.OK, "followed now; "),
    ],
)
def test_doctor_and_collector_status_agree_on_whether_a_stream_has_stalled(
    reader: MemoryReader, report: dict[str, Any], state: Health, found: str
) -> None:
    reader.insert("log_streams", id=1, source_uri="file:///a")
    reader.insert("log_files", id=1, stream_id=1, path="/a", byte_offset=9, moved_at=ago(1))
    # The age becomes an instant here: parameters are evaluated at collection, which may be minutes earlier.
    report = {"age_s": 1, **report}
    reader.insert("stream_reports", stream_id=1, reported_at=ago(report.pop("age_s")), **report)
    [finding] = iter_stream_findings(reader, frozenset([1]))
    assert (finding.state, finding.found[: len(found)]) == (state, found)
    [followed] = list_followed_streams(reader)
    assert (followed.state is StreamState.STALLED) == (state is Health.WRONG)


@pytest.mark.parametrize(
    ("alert", "state", "found"),
    [
        (
            {"unjudged_segments": 180_000},
            Health.WARNING,
            "it judges 20,000 segments one by one, and 180,000 more are not judged",
        ),
        (
            {
                "skipped_since": datetime(2026, 3, 1, tzinfo=UTC),
                "skipped_until": datetime(2027, 2, 22, tzinfo=UTC),
            },
            Health.NOTE,
            (
                "evaluated 5 s ago; the evaluations missed from 2026-03-01T00:00:00+00:00 to "
                "2027-02-22T00:00:00+00:00 are not caught up"
            ),
        ),
    ],
)
def test_segments_and_evaluations_that_an_alert_leaves_out_are_reported(
    reader: MemoryReader, alert: dict[str, Any], state: Health, found: str
) -> None:
    reader.insert("alerts", id=10, name="busy", metric_id=1, evaluated_at=ago(5), **alert, **RULE)
    [finding] = iter_alert_findings(reader)
    assert (finding.state, finding.found) == (state, found)


def test_a_clock_that_was_set_back_is_a_warning_for_a_day(reader: MemoryReader) -> None:
    reader.insert("clock_steps", part="alerts", noticed_at=ago(90_000), back_s=7.0, rebased=1)
    assert list(iter_clock_findings(reader)) == []
    reader.insert("clock_steps", part="metrics", noticed_at=ago(200), back_s=3600.0, rebased=2)
    reader.insert("clock_steps", part="heartbeat", noticed_at=ago(200), back_s=3599.0, rebased=1)
    [finding] = iter_clock_findings(reader)
    assert (finding.subject, finding.state) == ("clock", Health.WARNING)
    assert finding.found == (
        "the store's clock was set back by 1 h, noticed 3 min ago; moved from the future to then: "
        "1 heartbeats of the evaluator, 2 watermarks or refreshes of metrics"
    )
