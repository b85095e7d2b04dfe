"""An exported file has the definitions of the store: applied to the same store, it changes nothing."""

import tomllib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from puppylog.config.apply import declare
from puppylog.config.definition_set import DefinitionSet
from puppylog.config.export import export
from puppylog.config.plan import Plan, make_plan
from puppylog.config.reading import read_configuration
from puppylog.config.toml_writer import write_fields, write_table
from puppylog.model.alert import Alert, Comparison, NoData, define_alert
from puppylog.model.derived import define_derived
from puppylog.model.metric import Metric
from puppylog.model.retention import Retention
from puppylog.model.silence import Silence
from support.definition_store import MemoryDefinitions
from support.examples import examples
from support.random_definitions import definitions

METRIC: Final = Metric("errors", "count", "*", 60, refresh_s=60)
ALERT: Final = define_alert("busy", METRIC, comparison=Comparison.ABOVE, threshold=10, window_s=120)


def read_back(text: str, stored: DefinitionSet, path: Path) -> DefinitionSet:
    path.write_text(text, encoding="utf-8")
    return declare(read_configuration([path]), stored)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=definitions())
def test_an_exported_file_changes_nothing_in_its_store(tmp_path: Path, drawn: DefinitionSet) -> None:
    stored = MemoryDefinitions(drawn).read()
    count = len(stored.metrics) + len(stored.alerts) + len(stored.silences) + (stored.retention is not None)
    wanted = read_back(export(stored, "duckdb:///store"), stored, tmp_path / "config.toml")
    assert make_plan(wanted, stored, prune=True) == Plan(unchanged=count)
    alone = read_back(export(stored), DefinitionSet(), tmp_path / "config.toml")
    assert (set(alone.metrics), set(alone.alerts)) == (set(stored.metrics), set(stored.alerts))
    assert (set(alone.silences), alone.retention) == (set(stored.silences), stored.retention)


NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SILENCE: Final = Silence("upgrade", "*", "*", NOON, NOON + timedelta(hours=2), "", "", is_declared=True)
CHANGED: Final[dict[type, dict[str, Any]]] = {
    Metric: {
        "name": "other",
        "statistic": "p99.9",
        "property": "response_bytes",
        "period_s": 86400,
        "segment": "host",
        "filter": "status_code >= 500",
        "refresh_s": 90,
        "group": "shop",
        "of": "status_code = 404",
    },
    Alert: {
        "name": "other",
        "metric": "others",
        "statistic": "max",
        "comparison": Comparison.AT_MOST,
        "threshold": -0.5,
        "window_s": 604800,
        "period_s": 7,
        "for_s": 300,
        "keep_firing_for_s": 1,
        "delay_s": 0,
        "each_segment": True,
        "no_data": NoData.KEEP,
        "contacts": ("ops", "on-call"),
        "group_wait_s": 0,
        "repeat_s": 14400,
        "severity": "critical",
        "summary": 'A "summary" \\ é',
    },
    Silence: {
        "name": "other",
        "alert": "db_*",
        "segment": "web?",
        "starts_at": NOON + timedelta(microseconds=1),
        "ends_at": NOON + timedelta(hours=3),
        "author": "ada",
        "comment": "a new disk",
    },
    Retention: {
        "keep_s": 3600,
        "groups": (("mail", 7200),),
        "max_bytes": 1_234_567_890,
        "archive": "/srv/archive",
    },
}


@pytest.mark.parametrize(
    ("before", "field"),
    [
        (value, field.name)
        for value in (METRIC, ALERT, SILENCE, Retention())
        for field in fields(value)
        if field.name != "is_declared"
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_each_field_has_a_key_and_a_value_in_the_file(before: Metric | Alert | Silence | Retention, field: str) -> None:
    after = replace(before, **{field: CHANGED[type(before)][field]})
    fields_before, fields_after = write_fields(before), write_fields(after)
    [key] = [key for key in fields_before if fields_before[key] != fields_after[key]]
    assert write_table(after)[key] == fields_after[key]


def test_lengths_of_time_numbers_and_texts_are_written_as_people_write_them() -> None:
    metric = Metric("slow", "p95", "attributes.took", 60, segment="host", refresh_s=300, group="shop")
    alert = replace(
        define_alert(
            "slow", metric, comparison=Comparison.AT_LEAST, threshold=0.25, window_s=86400, for_s=90, each_segment=True
        ),
        contacts=("ops",),
        summary='it is "slow" \u202e',
    )
    stored = DefinitionSet(
        ("shop",), (define_derived("twice", "slow * 2", {"slow": metric}), metric), (alert, replace(ALERT, name="z"))
    )
    text = export(stored, "duckdb:///a\nb")
    assert text.startswith(
        """\
# The definitions of the store "duckdb:///a\\nb".
# Contacts are not in a store. The alerts name ops: declare each as [[contact]].

[[metric]]
name = "slow"
statistic = "p95"
property = "attributes.took"
period = "1m"
segment = "host"
refresh = "5m"
group = "shop"

[[metric]]
name = "twice"
from = "slow * 2"

[[alert]]
name = "slow"
metric = "slow"
statistic = "avg"
comparison = ">="
threshold = 0.25
window = "1d"
period = "12m"
for = "90s"
delay = "1m"
each_segment = true
no_data = "no_data"
contacts = [
    "ops",
]
group_wait = "30s"
severity = "warning"
summary = "it is \\"slow\\" \\U0000202e"

[[alert]]
name = "z"
"""
    )
    assert text.replace("\n", "").isprintable()
    assert tomllib.loads(text)["alert"][0]["summary"] == alert.summary


def test_a_store_without_definitions_gives_a_file_that_declares_nothing(tmp_path: Path) -> None:
    text = export(DefinitionSet(), "duckdb:///store")
    assert text == '# The definitions of the store "duckdb:///store".\n'
    assert read_back(text, DefinitionSet(), tmp_path / "a.toml") == DefinitionSet()
