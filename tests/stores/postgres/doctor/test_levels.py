"""The doctor compares the levels of a metric with the finer buckets from which they were made."""

import pytest

from puppylog.model.finding import Finding, Health
from puppylog.stores.postgres.doctor.levels import find_wrong_level
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from support.clock_steps import DAY_S
from support.refreshed_metric import START_S, RefreshedMetric

METRICS = load_queries("puppylog.stores.postgres", "doctor.sql")["metrics"]


def compare(url: str, limit_s: float = 60) -> Finding | None:
    with Session(url) as session:
        (row,) = session.rows(METRICS)
        return find_wrong_level(session, row, limit_s)


@pytest.mark.parametrize(("step_s", "name"), [(60, "1m"), (3600, "1h"), (DAY_S, "1d")])
def test_a_lost_bucket_of_a_level_is_found_and_the_advice_repairs_it(
    metric: RefreshedMetric, postgres_store_url: str, step_s: int, name: str
) -> None:
    assert compare(postgres_store_url) is None
    ((number,),) = metric.ask("SELECT id FROM puppylog.metrics")
    metric.ask(f"DELETE FROM puppylog.level_{number}_{step_s} WHERE bucket < to_timestamp({START_S + DAY_S})")
    found = compare(postgres_store_url)
    assert found is not None
    assert (found.subject, found.state) == ("metric hits", Health.WRONG)
    assert found.found == f"its level of {name} holds 2 of 3 records"
    metric.ask(found.advice.partition(": ")[2].partition(";")[0])
    assert compare(postgres_store_url) is None


def test_a_note_says_which_level_was_not_compared_in_time(metric: RefreshedMetric, postgres_store_url: str) -> None:
    assert metric.read_levels()
    found = compare(postgres_store_url, limit_s=0)
    assert found is not None
    assert (found.state, found.found) == (Health.NOTE, "its level of 1m was not compared within 0 s")
