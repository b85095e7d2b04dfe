"""The doctor compares the buckets of a metric with the records."""

from puppylog.model.finding import Finding, Health
from puppylog.stores.postgres.doctor.sums import compare_sums
from puppylog.stores.postgres.sessions.session import Session
from support.clock_steps import DAY_S
from support.refreshed_metric import START_S, RefreshedMetric


def compare(metric: RefreshedMetric, url: str, limit_s: float = 60) -> Finding:
    ((number,),) = metric.ask("SELECT id FROM puppylog.metrics")
    with Session(url) as session:
        return compare_sums(session, {"id": number, "name": "hits"}, limit_s)


def lose_a_bucket(metric: RefreshedMetric) -> None:
    ((number,),) = metric.ask("SELECT id FROM puppylog.metrics")
    metric.ask(f"DELETE FROM puppylog.rollup_{number} WHERE bucket < to_timestamp({START_S + DAY_S})")


def test_a_complete_metric_holds_all_records(metric: RefreshedMetric, postgres_store_url: str) -> None:
    found = compare(metric, postgres_store_url)
    assert (found.subject, found.state) == ("metric hits", Health.OK)
    assert found.found == "its buckets hold all 3 records"


def test_a_lost_bucket_is_found_and_the_advice_repairs_it(metric: RefreshedMetric, postgres_store_url: str) -> None:
    lose_a_bucket(metric)
    found = compare(metric, postgres_store_url)
    assert found.state is Health.WRONG
    assert "it holds 0 of 1 records" in found.found
    metric.ask(found.advice.partition(": ")[2].partition(";")[0])
    waiting = compare(metric, postgres_store_url)
    assert waiting.state is Health.NOTE
    assert waiting.found.startswith("checking: ")
    metric.refresh(START_S + 30 * DAY_S)
    assert compare(metric, postgres_store_url).state is Health.OK
    assert metric.read_values() == metric.count_records()


def test_the_finding_says_that_no_bucket_was_compared_in_time(metric: RefreshedMetric, postgres_store_url: str) -> None:
    found = compare(metric, postgres_store_url, limit_s=0)
    assert found.state is Health.NOTE
    assert found.found == "no bucket was compared with the records: one day takes more than 0 s"
