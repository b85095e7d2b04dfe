"""Carrying out a plan while another process changes the same store."""

from dataclasses import replace
from pathlib import Path

import pytest

from puppylog.config.apply import apply, apply_configuration
from puppylog.config.definition_set import DefinitionSet
from puppylog.config.plan import Plan, make_plan
from puppylog.config.reading import read_configuration
from puppylog.config.step import Step
from puppylog.config.values import Configuration
from puppylog.errors import UsageError
from puppylog.model.metric import Metric
from support.definition_store import MemoryDefinitions

TOTAL = Metric("total", "count", "*", 60, refresh_s=60)
MANY = '[[metric]]\nname = "total"\n[[alert]]\nname = "many"\nmetric = "total"\ncomparison = ">"\nthreshold = 5\n'


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    path = tmp_path / "config.toml"
    path.write_text(MANY, encoding="utf-8")
    return read_configuration([path])


def test_a_step_that_another_process_has_done_is_no_error() -> None:
    store = MemoryDefinitions(DefinitionSet((), (TOTAL,)))
    created = make_plan(DefinitionSet((), (TOTAL, replace(TOTAL, name="new"))), DefinitionSet((), (TOTAL,)))
    deleted = make_plan(DefinitionSet(), DefinitionSet((), (TOTAL,)), prune=True)
    for plan in (created, created, deleted, deleted):
        done: list[Step] = []
        assert apply(store, plan, done.append).error is None
        assert tuple(done) == plan.steps
    assert list(store.metrics) == ["new"]


def test_a_new_plan_is_made_if_another_process_changes_the_store_meanwhile(configuration: Configuration) -> None:
    store = MemoryDefinitions()
    plans: list[Plan] = []

    def interfere(plan: Plan) -> None:
        plans.append(plan)
        if len(plans) == 1:
            store.create_metric(replace(TOTAL, period_s=10))

    applied = apply_configuration(store, configuration, show=interfere)
    assert applied.error is None
    assert [[step.action.value for step in plan.steps] for plan in plans] == [
        ["create", "create"],
        ["update", "create"],
    ]
    assert store.metrics["total"] == TOTAL


def test_what_the_store_refuses_is_tried_once(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryDefinitions()
    plans: list[Plan] = []

    def refuse(metric: Metric) -> bool:
        raise UsageError("create", f"metric {metric.name!r}", "the store cannot compute it")

    monkeypatch.setattr(store, "create_metric", refuse)
    applied = apply_configuration(store, configuration, show=plans.append)
    assert applied.error is not None
    assert applied.describe() == (
        "0 of 2 changes are made; not made: create metric total, create alert many; apply it again to make them"
    )
    assert len(plans) == 1
