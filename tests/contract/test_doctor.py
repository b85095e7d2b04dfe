"""The obligations of a store's findings: complete, in order, and none of them wrong while the store works."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.finding import Finding, Health
from puppylog.model.metric import Metric
from puppylog.monitor import untimed
from puppylog.monitor.doctor import list_findings
from puppylog.monitor.untimed import iter_untimed_findings
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, open_stream, records, rows
from support.server import StoreServer

pytestmark = pytest.mark.sampled

ALERT = Alert("busy", "total", "avg", Comparison.ABOVE, 10, 3, 1, 0, 0, 2, each_segment=False, no_data=NoData.ZERO)


@pytest.fixture
def source(store: Store) -> Source:
    store.create_group("shop")
    store.create_metric(Metric("total", "count", "*", 1, refresh_s=1))
    store.create_metric(Metric("of_shop", "count", "*", 1, refresh_s=1, group="shop"))
    store.create_alert(ALERT)
    source = Source(store)
    source.append(records(10, ts=datetime.now(UTC), step_s=0))
    return source


def wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.state is Health.WRONG]


def test_a_working_store_has_a_finding_for_each_part_and_none_is_wrong(store: Store, source: Source) -> None:
    del source  # it has made what the findings are about
    wait_until(lambda: wrong(list_findings(store, recheck_s=0)) == [], what="the first round of the jobs")
    found = {finding.subject: finding for finding in list_findings(store)}
    assert {"server", "metric total", "metric of_shop", "evaluator", "alert busy"} <= found.keys()
    assert found["stream /var/log/test.log"].state is Health.OK
    assert {"jobs", "job evaluate_job"} & found.keys()


def test_every_capability_is_available_or_says_why_it_is_not(store: Store) -> None:
    abilities = [finding for finding in store.list_findings().findings if finding.subject.startswith("capability ")]
    assert len(abilities) > 1
    for ability in abilities:
        assert ability.found.startswith("yes: " if ability.state is Health.OK else "no: ")


def test_the_findings_list_the_claims_of_all_clients(server: StoreServer, store: Store, source: Source) -> None:
    other = server.connect()
    assert source.stream_id in other.list_findings().claimed
    mine = open_stream(other, "file:///var/log/other.log").stream_id
    assert store.list_findings().claimed == {source.stream_id, mine}
    store.close_stream(source.stream_id)
    assert other.list_findings().claimed == {mine}


def test_findings_are_in_the_same_order_and_grouped_by_subject(store: Store, source: Source) -> None:
    del source  # as above
    subjects = [[finding.subject for finding in store.list_findings().findings] for _ in range(2)]
    assert subjects[0] == subjects[1]
    together = [subject for subject, _ in groupby(subjects[0])]
    assert len(together) == len(set(together))


def test_records_without_a_time_of_their_own_are_noted_with_their_stream(
    store: Store, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untimed, "_COUNTED_S", 60.0)  # on a busy machine, 24 queries take longer than doctor waits
    now = datetime.now(UTC)
    assert [one for one in list_findings(store, recheck_s=0) if one.subject == "record times"] == []
    written = ['{"ts_source": "before"}', '{"a": 1, "ts_source": "before"}', '{"ts_source": "read"}', '{"zone": "CST"}']
    others = ['{"zone": "eu-west-1a"}', '{"zone": "Europe/Berlin"}', '{"ts_source": "other"}', None]
    source.append(rows([{"ts": now, "attributes": one} for one in (*written, *others)], start=source.offset))
    old = Source(store, "file:///var/log/old.log")
    old.append(rows([{"ts": now - timedelta(days=2), "attributes": written[0]}]))
    wait_until(lambda: bool(list(iter_untimed_findings(store))), what="the finding")
    [finding] = iter_untimed_findings(store)
    assert finding.state is Health.NOTE
    assert finding.found == (
        "of the records of the last day, 2 have the time of the record before; 1 has the time of reading; "
        "1 names a zone with several meanings, which --tz decided; most of them in /var/log/test.log (4)"
    )
    assert "puppylog collector detect" in finding.advice
    assert finding in list_findings(store, recheck_s=0)
