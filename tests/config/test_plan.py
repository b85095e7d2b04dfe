"""A plan: which changes, in which order, and what is refused."""

import time
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.config.apply import apply, check
from puppylog.config.definition_set import DefinitionSet, Kind
from puppylog.config.plan import Kept, Plan, make_plan
from puppylog.config.silences import leave_out_silences
from puppylog.errors import ConfigurationError
from puppylog.model.alert import Alert, Comparison, NoData, define_alert
from puppylog.model.derived import define_derived
from puppylog.model.metric import Metric
from puppylog.model.retention import KEEP_ALL, Retention
from puppylog.model.silence import Silence
from support.definition_store import MemoryDefinitions
from support.examples import examples
from support.random_definitions import definitions

ERRORS = Metric("errors", "count", "*", 10, segment="host", filter="status_code >= 500")
TOTAL = Metric("total", "count", "*", 10, segment="host")
SHARE = define_derived("share", "errors / total", {"errors": ERRORS, "total": TOTAL})
PERCENT = define_derived("percent", "share * 100", {"share": SHARE})
ALL = (ERRORS, TOTAL, SHARE, PERCENT)


def alert_on(metric: Metric, name: str = "busy", *, window_s: int = 60, each_segment: bool = False) -> Alert:
    return define_alert(
        name, metric, comparison=Comparison.ABOVE, threshold=1, window_s=window_s, each_segment=each_segment
    )


def describe(plan: Plan) -> list[str]:
    return [f"{step.action} {step.kind} {step.name}" for step in plan.steps]


def carry_out(plan: Plan, stored: DefinitionSet) -> DefinitionSet:
    """Return the definitions of a store after a plan. The store refuses a step that stands in a wrong location."""
    store = MemoryDefinitions(stored)
    applied = apply(store, plan)
    assert applied.error is None, applied
    return store.read()


def test_nothing_has_to_be_done_if_the_store_has_what_the_file_declares() -> None:
    same = DefinitionSet(("shop",), ALL, (alert_on(SHARE),))
    assert make_plan(same, same, prune=True) == Plan(unchanged=5)
    assert not make_plan(same, same).has_changes


def test_a_definition_is_created_after_those_that_it_needs_and_deleted_before_them() -> None:
    metrics = (PERCENT, SHARE, replace(TOTAL, group="shop"), replace(ERRORS, group="shop"))
    full = DefinitionSet((), metrics, (alert_on(PERCENT),))
    full = replace(full, metrics=(replace(PERCENT, group="shop"), replace(SHARE, group="shop"), *metrics[2:]))
    created = make_plan(full, DefinitionSet())
    assert describe(created) == [
        "create group shop",
        "create metric errors",
        "create metric total",
        "create metric share",
        "create metric percent",
        "create alert busy",
    ]
    deleted = make_plan(DefinitionSet(), full, prune=True)
    assert describe(deleted) == [
        "delete alert busy",
        "delete metric percent",
        "delete metric share",
        "delete metric errors",
        "delete metric total",
    ]
    assert carry_out(deleted, carry_out(created, DefinitionSet())) == DefinitionSet(("shop",))


def test_what_the_file_does_not_have_stays_unless_it_is_pruned() -> None:
    stored = DefinitionSet(("shop",), ALL, (alert_on(SHARE),))
    wanted = DefinitionSet((), (ERRORS, TOTAL))
    plan = make_plan(wanted, stored)
    assert not plan.has_changes
    assert plan.kept == (Kept(Kind.METRIC, "share"), Kept(Kind.METRIC, "percent"), Kept(Kind.ALERT, "busy"))
    pruned = make_plan(wanted, stored, prune=True)
    assert describe(pruned) == ["delete alert busy", "delete metric percent", "delete metric share"]
    assert pruned.kept == ()
    assert carry_out(pruned, stored) == DefinitionSet(("shop",), (ERRORS, TOTAL))


def test_a_metric_that_the_file_needs_is_not_pruned() -> None:
    stored = DefinitionSet((), (*ALL, Metric("other", "count", "*", 10)))
    plan = make_plan(DefinitionSet((), (PERCENT,), (alert_on(PERCENT),)), stored, prune=True)
    assert describe(plan) == ["delete metric other", "create alert busy"]
    assert {kept.name: kept.reason for kept in plan.kept} == {
        "errors": "metric percent of the file is derived from it",
        "total": "metric percent of the file is derived from it",
        "share": "metric percent of the file is derived from it",
    }


@pytest.mark.parametrize("field", [field.name for field in fields(Metric) if field.name != "name"])
def test_a_change_of_each_field_of_a_metric_is_an_update(field: str) -> None:
    before = Metric("m", "ratio", "*", 60, "host", "ts IS NULL", 60, "shop", "status_code = 404")
    changed: dict[str, Any] = {
        "statistic": "count",
        "property": "response_bytes",
        "period_s": 10,
        "segment": None,
        "filter": None,
        "refresh_s": 10,
        "group": None,
        "of": None,
    }
    after = replace(before, **{field: changed[field]})
    [step] = make_plan(DefinitionSet((), (after,)), DefinitionSet(("shop",), (before,))).steps
    assert (step.action, step.before, step.after) == ("update", before, after)
    assert step.note == ("" if field == "refresh_s" else "its buckets are computed again from the stored records")


IN_PLACE: Final[dict[str, Any]] = {
    "statistic": "max",
    "comparison": Comparison.BELOW,
    "threshold": 2.0,
    "window_s": 120,
    "period_s": 7,
    "for_s": 1,
    "keep_firing_for_s": 1,
    "delay_s": 1,
    "no_data": NoData.KEEP,
    "contacts": ("ops",),
    "group_wait_s": 0,
    "repeat_s": 60,
    "severity": "info",
    "summary": "Look!",
}


@pytest.mark.parametrize("field", [field.name for field in fields(Alert) if field.name not in ("name", "metric")])
def test_a_change_of_each_field_of_an_alert_is_seen(field: str) -> None:
    before = alert_on(ERRORS)
    after = replace(before, **{field: {**IN_PLACE, "each_segment": True}[field]})
    plan = make_plan(DefinitionSet((), (ERRORS,), (after,)), DefinitionSet((), (ERRORS,), (before,)), prune=True)
    actions = [step.action.value for step in plan.steps]
    assert actions == (["update"] if field in IN_PLACE else ["delete", "create"])
    assert plan.steps[-1].after == after


CHANGED = {"keep_s": 7200, "groups": (("shop", 3600),), "max_bytes": 300_000_000, "archive": "/srv/other"}


@pytest.mark.parametrize("field", [field.name for field in fields(Retention)])
def test_a_change_of_each_field_of_the_retention_is_an_update(field: str) -> None:
    before = Retention(3600, (), 200_000_000, "/srv/archive")
    changed: Any = CHANGED[field]
    after = replace(before, **{field: changed})
    plan = make_plan(DefinitionSet(retention=after), DefinitionSet(retention=before))
    assert [(step.action, step.subject, step.before, step.after) for step in plan.steps] == [
        ("update", "retention", before, after)
    ]
    assert carry_out(plan, DefinitionSet(retention=before)) == DefinitionSet(retention=after)


def test_a_retention_that_the_file_does_not_have_stays_unless_it_is_pruned() -> None:
    stored = DefinitionSet(retention=Retention(3600))
    assert make_plan(DefinitionSet(), stored) == Plan(kept=(Kept(Kind.RETENTION, ""),))
    plan = make_plan(DefinitionSet(), stored, prune=True)
    assert describe(plan) == ["delete retention "]
    assert carry_out(plan, stored) == DefinitionSet()
    assert describe(make_plan(DefinitionSet(retention=KEEP_ALL), stored)) == ["update retention "]
    assert make_plan(DefinitionSet(retention=KEEP_ALL), DefinitionSet()) == Plan()


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UPGRADE = Silence("upgrade", "*", "*", NOON, NOON + timedelta(hours=2), "ada", "", is_declared=True)
CHANGED_SILENCE: Final[dict[str, Any]] = {
    "alert": "db_*",
    "segment": "web?",
    "starts_at": NOON + timedelta(microseconds=1),
    "ends_at": NOON + timedelta(hours=3),
    "author": "bob",
    "comment": "a new disk",
    "is_declared": False,
}


@pytest.mark.parametrize("field", [field.name for field in fields(Silence) if field.name != "name"])
def test_a_change_of_each_field_of_a_silence_is_an_update(field: str) -> None:
    stored = DefinitionSet(silences=(replace(UPGRADE, **{field: CHANGED_SILENCE[field]}),))
    plan = make_plan(DefinitionSet(silences=(UPGRADE,)), stored)
    assert describe(plan) == ["update silence upgrade"]
    assert carry_out(plan, stored).silences == (UPGRADE,)


@pytest.mark.parametrize(
    ("in_file", "in_store", "steps"),
    [
        (UPGRADE, None, ["create silence upgrade"]),
        (None, UPGRADE, ["delete silence upgrade"]),
        (None, replace(UPGRADE, is_declared=False), []),
        (UPGRADE, replace(UPGRADE, ends_at=NOON), ["update silence upgrade"]),  # a command has ended it
        (replace(UPGRADE, ends_at=NOON), UPGRADE, ["update silence upgrade"]),
        (replace(UPGRADE, ends_at=NOON), None, []),
        (None, replace(UPGRADE, ends_at=NOON), []),
        (replace(UPGRADE, ends_at=NOON), replace(UPGRADE, ends_at=NOON, comment="other"), []),
    ],
)
def test_a_silence_that_has_ended_or_was_set_by_a_command_is_left_alone(
    in_file: Silence | None, in_store: Silence | None, steps: list[str]
) -> None:
    wanted, stored = (DefinitionSet(silences=() if each is None else (each,)) for each in (in_file, in_store))
    assert describe(make_plan(*leave_out_silences(wanted, stored, NOON), prune=True)) == steps


def test_a_plan_says_that_buckets_of_dropped_records_cannot_be_computed_again() -> None:
    stored = DefinitionSet((), (ERRORS,), (), (), Retention(3600))
    [step] = make_plan(DefinitionSet((), (replace(ERRORS, period_s=60),)), stored).steps
    assert step.note == "its buckets are computed again from the stored records; those of dropped records are lost"


def test_an_alert_that_judges_another_metric_is_replaced_if_pruning_allows_it() -> None:
    stored = DefinitionSet((), ALL, (alert_on(ERRORS),))
    wanted = DefinitionSet((), ALL, (alert_on(TOTAL),))
    plan = make_plan(wanted, stored, prune=True)
    assert describe(plan) == ["delete alert busy", "create alert busy"]
    assert plan.steps[0].note == "it judges metric total now; its history is deleted"
    assert carry_out(plan, stored).alerts == (alert_on(TOTAL),)
    refused = make_plan(wanted, stored)
    assert refused.steps == plan.steps
    with pytest.raises(
        ConfigurationError,
        match="cannot apply the configuration: alert busy: it judges metric total now, and its history would be "
        "deleted; allow it with --prune",
    ):
        check(refused)


def test_an_alert_that_judges_each_segment_is_replaced_if_the_segments_of_its_metric_change() -> None:
    alert = alert_on(ERRORS, each_segment=True)
    stored = DefinitionSet((), (ERRORS,), (alert,))
    wanted = DefinitionSet((), (replace(ERRORS, segment="ident"),), (alert,))
    plan = make_plan(wanted, stored, prune=True)
    assert describe(plan) == ["delete alert busy", "update metric errors", "create alert busy"]
    assert plan.unchanged == 0
    assert carry_out(plan, stored) == wanted
    [refusal] = make_plan(wanted, stored).refusals
    assert refusal.sentence.startswith("alert busy: metric errors changes, and its history would be deleted")


def test_a_metric_that_an_alert_outside_the_file_cannot_judge_then_is_refused() -> None:
    stored = DefinitionSet((), (ERRORS,), (alert_on(ERRORS, window_s=30),))
    wanted = DefinitionSet((), (replace(ERRORS, period_s=60),))
    [refusal] = make_plan(wanted, stored).refusals
    assert refusal.sentence == (
        "metric errors: alert busy judges it, and its window of 30s is not a multiple of the period of metric "
        "'errors', 1m; the file does not have it: add it, or delete it with --prune"
    )
    plan = make_plan(wanted, stored, prune=True)
    assert describe(plan) == ["delete alert busy", "update metric errors"]
    assert carry_out(plan, stored) == wanted


@pytest.mark.parametrize(("before_s", "after_s"), [(10, 60), (60, 10), (60, 45)])
def test_the_period_of_a_metric_and_the_window_of_its_alert_change_together(before_s: int, after_s: int) -> None:
    def declare(period_s: int) -> DefinitionSet:
        metric = replace(ERRORS, period_s=period_s)
        return DefinitionSet((), (metric,), (alert_on(metric, window_s=period_s),))

    plan = make_plan(declare(after_s), declare(before_s))
    assert sorted(describe(plan)) == ["update alert busy", "update metric errors"]
    assert carry_out(plan, declare(before_s)) == declare(after_s)


def test_a_derived_metric_is_made_again_if_the_period_of_its_inputs_changes() -> None:
    def declare(period_s: int, alerts: Sequence[Alert] = ()) -> DefinitionSet:
        inputs = {metric.name: replace(metric, period_s=period_s) for metric in (ERRORS, TOTAL)}
        share = define_derived("share", "errors / total", inputs)
        return DefinitionSet((), (inputs["errors"], share, inputs["total"]), tuple(alerts))

    plan = make_plan(declare(60), declare(10))
    assert describe(plan) == [
        "delete metric share",
        "update metric errors",
        "update metric total",
        "create metric share",
    ]
    assert carry_out(plan, declare(10)) == declare(60)
    alert = alert_on(replace(SHARE, period_s=60))
    [refusal] = make_plan(declare(60, [alert]), declare(10, [alert])).refusals
    assert (refusal.kind, refusal.name, refusal.needs_prune) == (Kind.ALERT, "busy", True)


def test_only_what_stands_against_a_change_for_sure_is_replaced() -> None:
    hits, size, old = (Metric(name, "count", "*", 10) for name in ("hits", "size", "old"))
    per_host = replace(size, segment="host")

    def declare(size: Metric, *formulas: str) -> tuple[Metric, ...]:
        known = {metric.name: metric for metric in (hits, size, old)}
        return tuple(
            define_derived(name, formula, known) for name, formula in zip(("mean", "twice"), formulas, strict=True)
        )

    before, after = declare(size, "hits / old", "size * 2"), declare(per_host, "hits / size", "size * 2")
    alert = alert_on(before[0])
    stored = DefinitionSet((), (hits, size, old, *before), (alert,))
    plan = make_plan(DefinitionSet((), (hits, per_host, *after), (alert,)), stored, prune=True)
    assert describe(plan) == [
        "delete metric twice",
        "update metric size",
        "create metric twice",
        "update metric mean",
        "delete metric old",
    ]
    assert carry_out(plan, stored).alerts == (alert,)


def test_a_thousand_definitions_are_planned_in_seconds() -> None:
    def declare(period_s: int) -> DefinitionSet:
        metrics = tuple(Metric(f"m{number}", "count", "*", period_s) for number in range(300))
        known = {metric.name: metric for metric in metrics}
        derived = tuple(define_derived(f"d{number}", f"m{number} / m0", known) for number in range(1, 200))
        return DefinitionSet((), (*metrics, *derived), tuple(alert_on(m, f"on_{m.name}") for m in metrics))

    began = time.process_time()
    plan = make_plan(declare(60), declare(10))
    assert (len(plan.steps), plan.refusals) == (300 + 2 * 199 + 300, ())
    assert time.process_time() - began < 5


def test_a_metric_becomes_derived_from_one_that_was_derived_from_it() -> None:
    stored = DefinitionSet((), (ERRORS, define_derived("twice", "errors * 2", {"errors": ERRORS})))
    twice = replace(ERRORS, name="twice")
    wanted = DefinitionSet((), (define_derived("errors", "twice / 2", {"twice": twice}), twice))
    plan = make_plan(wanted, stored)
    assert describe(plan) == ["update metric twice", "update metric errors"]
    assert carry_out(plan, stored) == wanted


def test_definitions_that_wait_for_each_other_are_refused() -> None:
    loop = (replace(SHARE, name="a", property="b * 2"), replace(SHARE, name="b", property="a * 2"))
    [refusal] = make_plan(DefinitionSet((), loop), DefinitionSet()).refusals
    assert refusal.cause == "the changes of the file wait for each other"


def test_an_alert_on_a_metric_that_is_nowhere_is_refused() -> None:
    [refusal] = make_plan(DefinitionSet((), (), (alert_on(ERRORS),)), DefinitionSet()).refusals
    assert refusal.sentence == "alert busy: there is no metric 'errors'"


@settings(max_examples=examples(60, soak=150))
@given(st.data())
def test_every_plan_can_be_carried_out_and_then_nothing_has_to_be_done(data: st.DataObject) -> None:
    stored = MemoryDefinitions(data.draw(definitions(), "stored")).read()
    is_whole = data.draw(st.booleans(), "the file needs nothing that only the store has")
    known = {} if is_whole else {metric.name: metric for metric in stored.metrics}
    wanted = data.draw(definitions(known), "wanted")
    for prune in (True, False):
        plan = make_plan(*leave_out_silences(wanted, stored, NOON), prune=prune)
        if plan.refusals:
            assert not (prune and is_whole)
            continue
        after = carry_out(plan, stored)
        assert not make_plan(*leave_out_silences(wanted, after, datetime.now(UTC)), prune=prune).has_changes
        assert {(kept.kind, kept.name) for kept in plan.kept} <= after.by_name().keys()
        if prune and is_whole:
            assert (set(after.metrics), set(after.alerts)) == (set(wanted.metrics), set(wanted.alerts))
            assert set(after.silences) >= set(wanted.silences)
            assert after.retention == (None if wanted.retention == KEEP_ALL else wanted.retention)
