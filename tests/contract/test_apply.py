"""A configuration file on every store: applied twice, or exported, it leaves nothing to do."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.differences import NO_GROUP_AGE, Difference
from puppylog.config.apply import Applied, apply_configuration, declare, plan_configuration
from puppylog.config.definition_set import DefinitionSet, read_definitions
from puppylog.config.export import export
from puppylog.config.plan import make_plan
from puppylog.config.reading import read_configuration
from puppylog.config.values import Configuration
from puppylog.model.retention import Retention
from puppylog.stores.base import Store
from support.definition_store import MemoryDefinitions
from support.examples import examples
from support.random_definitions import definitions
from support.server import StoreServer

pytestmark = pytest.mark.sampled


def read(text: str, path: Path) -> Configuration:
    path.write_text(text, encoding="utf-8")
    return read_configuration([path])


def write(definitions: DefinitionSet) -> str:
    return export(MemoryDefinitions(definitions).read())


@pytest.mark.timeout(1200)  # each metric takes a second where it is made on every node
@settings(max_examples=examples(2), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.tuples(definitions(), definitions()))
def test_an_applied_file_and_an_exported_one_leave_nothing_to_do(
    store: Store, differs: Callable[[Difference], bool], tmp_path: Path, files: Sequence[DefinitionSet]
) -> None:
    for drawn in files:
        wanted = replace(drawn, retention=drawn.retention and fit(drawn.retention, differs))
        configuration = read(write(wanted), tmp_path / "config.toml")
        applied = apply_configuration(store, configuration, prune=True)
        assert applied.error is None, applied.describe()
        stored = read_definitions(store)
        assert (set(stored.metrics), set(stored.alerts)) == (set(wanted.metrics), set(wanted.alerts))
        assert not plan_configuration(store, configuration, prune=True).has_changes
        exported = read(export(stored), tmp_path / "exported.toml")
        assert not make_plan(declare(exported, stored), stored, prune=True).has_changes


def fit(retention: Retention, differs: Callable[[Difference], bool]) -> Retention:
    """Return the rules without those that the store refuses, and without the archive, which cannot be created."""
    return replace(retention, archive=None, groups=() if differs(NO_GROUP_AGE) else retention.groups)


FILE = """
[[metric]]
name = "errors"
filter = "status_code >= 500"
group = "shop"
[[metric]]
name = "total"
group = "shop"
[[metric]]
name = "share"
from = "errors / total * 100"
[[alert]]
name = "many"
metric = "share"
comparison = ">"
threshold = 5
window = "10m"
contacts = ["ops"]
group_wait = "1m"
repeat = "4h"
severity = "critical"
summary = "Many requests fail."
"""


def test_processes_that_apply_one_file_at_the_same_time_do_no_harm(
    server: StoreServer, store: Store, tmp_path: Path
) -> None:
    first = read(FILE, tmp_path / "a.toml")
    second = read(FILE.replace('group = "shop"', 'period = "5m"\nsegment = "host"'), tmp_path / "b.toml")
    others = [server.connect() for _ in range(2)]
    for configuration in (first, second):
        applied: list[Applied] = []
        start = threading.Barrier(3)

        def run(client: Store, wanted: Configuration, start: threading.Barrier, applied: list[Applied]) -> None:
            start.wait(30)
            applied.append(apply_configuration(client, wanted, prune=True))

        threads = [
            threading.Thread(target=run, args=(client, configuration, start, applied)) for client in (store, *others)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert [each.error for each in applied] == [None] * 3
        assert not plan_configuration(store, configuration, prune=True).has_changes
    assert [metric.segment for metric in store.list_metrics()] == ["host"] * 3
    assert len(store.list_alerts()) == 1
