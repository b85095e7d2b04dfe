"""Every spelling of a severity means the scale's word on every store, also in records of an older Puppylog."""

import pytest

from puppylog.model.expression import parse_filter, render
from puppylog.model.metric import Metric
from puppylog.model.query import Reading, parse_query, translate
from puppylog.model.severity import SCALE, SEVERITIES, find_severity
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.counting.field import get_field
from puppylog.monitor.counting.top import count_top
from puppylog.monitor.search import Search, count_records
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import NOON, Source, rows

pytestmark = pytest.mark.sampled

WORDS = [spelling for severity in SEVERITIES for spelling in severity.spellings]
OLD = "REGEXP_LIKE(severity, '(?i)^(?:error|err|critical|crit|fatal|alert|emergency|emerg|panic)$')"


@pytest.fixture(scope="module")
def filled(kept_store: Store) -> Store:
    """A store of a record with each spelling, in both cases, and of one with a word that is no severity."""
    words = [*WORDS, *(word.upper() for word in WORDS), "odd", None]
    Source(kept_store, "file:///var/log/app.log").append(rows([{"ts": NOON, "severity": word} for word in words]))
    # A store of several servers may show records a moment after their commit.
    wait_until(lambda: count_records(kept_store, Search(), 1000) == len(words), what="all records")
    return kept_store


def find(store: Store, query: str) -> set[str | None]:
    """Return the severities that the records have which a query finds."""
    condition = parse_filter(translate(parse_query(query), Reading(text=query, is_kept=True)))
    sql = f"SELECT severity FROM puppylog.log_records WHERE {render(condition, dialect_of(store))}"
    return {find_severity(row["severity"]) for row in store.query(sql).to_pylist()}


def test_a_search_finds_every_spelling(filled: Store) -> None:
    for step, name in enumerate(SCALE):
        assert find(filled, f"severity:{name}") == {name}
        assert find(filled, f"severity={SEVERITIES[step].spellings[1]}") == {name}
        assert find(filled, f"severity>={name}") == set(SCALE[step:])
        assert find(filled, f"severity<{name}") == set(SCALE[:step])


def test_the_number_of_a_severity_is_a_function_in_sql_and_in_expressions(filled: Store) -> None:
    condition = render(parse_filter("severity_number(severity) >= 17"), dialect_of(filled))
    sql = f"SELECT severity, severity_number(severity) AS n, {condition} AS is_error FROM puppylog.log_records"
    expected = {word: severity.number for severity in SEVERITIES for word in severity.spellings}
    for row in filled.query(sql).to_pylist():
        number = expected.get((row["severity"] or "").lower())
        assert row["n"] == number, row
        assert row["is_error"] == (None if number is None else number >= 17), row


def test_values_are_counted_under_the_names_of_the_scale(filled: Store) -> None:
    dialect = dialect_of(filled)
    top = count_top(filled, get_field(filled, "severity", dialect), Search(), dialect=dialect, values=20)
    counts = {one.value: one.count for one in top.values}
    expected: dict[object, int] = {one.name: 2 * len(one.spellings) for one in SEVERITIES}
    assert counts == expected | {"odd": 1, None: 1}


def test_a_metric_of_an_older_puppylog_is_the_same_as_one_with_all_spellings(store: Store) -> None:
    query = "severity>=error"
    new = parse_filter(translate(parse_query(query), Reading(text=query, is_kept=True)))
    assert store.create_metric(Metric("errors", "count", "*", 60, filter=parse_filter(OLD)))
    assert store.create_metric(Metric("errors", "count", "*", 60, filter=new)) is False
