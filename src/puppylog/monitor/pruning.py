"""Leaves out of a search what tallies say that no record has: the columns of some days, or all columns of them.

A tally has all values of a column on a day, or all words of it. So a text that a search needs may be in a column on a
day, or it cannot be. Only those columns of those days are read, each for itself: DuckDB skips what a single column does
not have, but reads several columns as a whole if they are joined by ``OR``. The answer is the same as without tallies.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from puppylog.model.expression.fast_parsing import read_conjuncts
from puppylog.model.expression.term import Term, TextTest, quote
from puppylog.monitor.condition_sql import ConditionSql, Part
from puppylog.monitor.range import Range
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.tallies import COLUMNS, DAY_S, ESCAPE, WORDS

_QUERIES = load_queries("puppylog.stores", "tallies.sql")

_DAY_US: Final = DAY_S * 1_000_000
# More days than these are not left out of a column, so that the SQL stays short.
_MAX_GAPS: Final = 32

_Spans = Sequence[tuple[int, int]]  # half-open, in microseconds since the epoch, in order


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What every record of the search has: a text that passes one of the tests.

    Attributes:
        tests: of columns.
        rest: what else must be true.
    """

    tests: Sequence[TextTest]
    rest: Sequence[Term]


@dataclass(frozen=True, slots=True)
class _Known:
    """What tallies say about a text.

    Attributes:
        span: the days from the first to the last one with a tally.
        absent: for each test, the days on which no record passes it.
    """

    span: tuple[int, int]
    absent: Sequence[_Spans]

    @property
    def length_us(self) -> int:
        """How much must be read: the sum over the columns."""
        whole = self.span[1] - self.span[0]
        return sum(whole - sum(end - start for start, end in days) for days in self.absent)


def narrow(reader: RecordReader, condition: ConditionSql, within: Range) -> ConditionSql:
    """Return a condition that is true for the same records of a range, and that the embedded store may answer sooner.

    A range of less than a day is not worth the question.

    Args:
        reader: the store.
        condition: has expressions and no parts.
        within: the range. Outside of it the new condition is right, too.
    """
    if _is_short(within):
        return condition
    best: tuple[_Wanted, _Known] | None = None
    for wanted in _list_wanted(condition.expressions):
        known = _find_known(reader, wanted.tests, within)
        if known is not None and any(known.absent) and (best is None or known.length_us < best[1].length_us):
            best = wanted, known
    return condition if best is None else ConditionSql(condition, (), list(_iter_parts(condition, *best)))


def _is_short(within: Range) -> bool:
    return (
        within.since is not None and within.until is not None and within.until - within.since < timedelta(seconds=DAY_S)
    )


def _list_wanted(expressions: Iterable[str]) -> list[_Wanted]:
    conjuncts: list[Term] = []
    for expression in expressions:
        terms = read_conjuncts(expression)
        if terms is None:
            return []
        conjuncts += terms
    return [
        _Wanted(term.tests, [other for other in conjuncts if other is not term]) for term in conjuncts if term.tests
    ]


def _find_known(reader: RecordReader, tests: Sequence[TextTest], within: Range) -> _Known | None:
    """Return what tallies say about the days of a range; None if there are none."""
    asked = [(_field_of(test.column), _test_of_day(test)) for test in tests]
    fields: dict[str, set[str]] = {}  # by the SQL of the test
    for field, sql in asked:
        if sql is not None:
            fields.setdefault(sql, set()).add(field)
    if not fields:
        return None
    days: dict[tuple[str, str], dict[int, bool]] = {}  # whether they may have the text, by field and test
    for sql, names in fields.items():
        query = _QUERIES["possible_texts"].format(test=sql, fields=", ".join(map(quote, sorted(names))))
        for row in reader.query(query, within.parameters()).to_pylist():
            days.setdefault((row["field"], sql), {})[row["start_us"]] = row["is_possible"]
    starts = {start_us for found in days.values() for start_us in found}
    if not starts:
        return None
    absent = [
        _join(start_us for start_us, is_possible in days.get((field, sql or ""), {}).items() if not is_possible)
        for field, sql in asked
    ]
    return _Known((min(starts), max(starts) + _DAY_US), absent)


def _field_of(column: str) -> str:
    return column if column in COLUMNS else WORDS[column]


def _test_of_day(test: TextTest) -> str | None:
    """Return the SQL that is true if a day may have a text that passes the test; None if its tally cannot tell."""
    if test.column in COLUMNS:
        return None if test.of_value is None else f"bool_or({test.of_value})"
    if not test.words:
        return None
    groups = [" AND ".join(f"bool_or(contains(value, {quote(word)}))" for word in group) for group in test.words]
    return " OR ".join([*groups, f"bool_or(starts_with(value, {quote(ESCAPE)}))"])


def _join(starts: Iterable[int]) -> _Spans:
    """Return days as spans, those that follow each other as one; the longest if there are many."""
    spans: list[tuple[int, int]] = []
    for start_us in sorted(starts):
        if spans and spans[-1][1] == start_us:
            spans[-1] = (spans[-1][0], start_us + _DAY_US)
        else:
            spans.append((start_us, start_us + _DAY_US))
    return sorted(sorted(spans, key=lambda span: span[0] - span[1])[:_MAX_GAPS])


def _iter_parts(condition: str, wanted: _Wanted, known: _Known) -> Iterator[Part]:
    """Yield the part outside of the known days, and one for each column that may have the text."""
    start_us, end_us = known.span
    yield Part(f"(ts < make_timestamptz({start_us}) OR ts >= make_timestamptz({end_us})) AND ({condition})")
    comparisons = [term.duckdb for term in wanted.rest if not term.tests]
    other_texts = [term.duckdb for term in wanted.rest if term.tests]
    earlier: list[str] = []
    for test, days in zip(wanted.tests, known.absent, strict=True):
        times = " OR ".join(_iter_between(days, known.span))
        if not times:
            continue
        is_new = [f"NOT COALESCE({' OR '.join(earlier)}, FALSE)"] if earlier else []
        whole_test = [] if test.sieve == test.sql else [test.sql]
        yield Part(_all_of(times, test.sieve, *comparisons), _all_of(*whole_test, *is_new, *other_texts))
        earlier.append(test.sql)


def _all_of(*conditions: str) -> str:
    return " AND ".join(f"({condition})" for condition in conditions)


def _iter_between(days: _Spans, span: tuple[int, int]) -> Iterator[str]:
    """Yield the conditions of the times in a span that are not on some days."""
    start_us = span[0]
    for day_us, next_us in (*days, (span[1], span[1])):
        if start_us < day_us:
            yield f"ts >= make_timestamptz({start_us}) AND ts < make_timestamptz({day_us})"
        start_us = next_us
