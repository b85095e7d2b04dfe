"""One scale of severities, and every spelling of each."""

import json
import re
from pathlib import Path

import pytest

import puppylog
from puppylog.model.severity import (
    NUMBERS,
    SCALE,
    SEVERITIES,
    find_number,
    find_severity,
    find_step,
    name_of_number,
    renew_patterns,
    spelling_pattern,
)

SPELLINGS = [(spelling, severity.name) for severity in SEVERITIES for spelling in severity.spellings]


def test_the_scale_has_nine_names_with_ascending_numbers() -> None:
    assert " ".join(SCALE) == "trace debug info notice warning error critical alert emergency"
    assert list(NUMBERS.values()) == [1, 5, 9, 10, 13, 17, 18, 19, 21]


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("trace TRACE VERBOSE finest trc silly TRAC", "trace"),
        ("debug DBUG dbg fine FINER config DEBUG3", "debug"),
        ("info INF Information informational LOG", "info"),
        ("notice NOTE", "notice"),
        ("warning WARN Warning wrn", "warning"),
        ("error ERR SEVERE fail ERRO", "error"),
        ("critical CRIT FATAL DPANIC panic FTL", "critical"),
        ("alert", "alert"),
        ("emergency EMERG", "emergency"),
    ],
)
def test_a_spelling_means_a_severity_whatever_its_case(words: str, severity: str) -> None:
    assert {find_severity(word) for word in words.split()} == {severity}
    assert {find_number(word) for word in words.split()} == {NUMBERS[severity]}


@pytest.mark.parametrize("word", ["", "W", "7", "loud", "warning ", "[info]", "\u0131nfo", "\u017fevere"])
def test_other_words_are_no_severities(word: str) -> None:
    assert find_severity(word) is None
    assert find_step(word) is None
    assert find_number(word) is None


def test_no_spelling_means_two_severities() -> None:
    assert len(dict(SPELLINGS)) == len(SPELLINGS)


def test_numbers_of_opentelemetry_mean_the_step_below_and_fatal_is_critical() -> None:
    names = [name_of_number(number) for number in range(26)]
    assert names[0] is names[25] is None
    assert names[1:5] == ["trace"] * 4
    assert names[5:9] == ["debug"] * 4
    assert names[9:13] == ["info", "notice", "notice", "notice"]
    assert names[13:17] == ["warning"] * 4
    assert names[17:21] == ["error", "critical", "alert", "alert"]
    assert names[21:25] == ["critical"] * 4


def test_the_pattern_of_some_steps_matches_all_their_spellings_and_no_other() -> None:
    pattern = re.compile(spelling_pattern(range(5, 9)))
    for spelling, severity in SPELLINGS:
        assert bool(pattern.match(spelling.upper())) is (severity in SCALE[5:])


def test_the_page_has_the_same_spellings() -> None:
    page = Path(puppylog.__path__[0]) / "serve" / "page" / "static" / "search" / "query.js"
    found = re.search(r"export const SEVERITIES = (\[.*?\n\]);", page.read_text(), re.DOTALL)
    assert found is not None
    lists = json.loads(re.sub(r",(\s*\])", r"\1", found[1]))
    assert lists == [list(severity.spellings) for severity in SEVERITIES]


@pytest.mark.parametrize("path", ["postgres/sql/routines/severity.sql", "duckdb/sql/routines.sql"])
def test_the_function_in_sql_has_the_same_spellings_and_numbers(path: str) -> None:
    text = (Path(puppylog.__path__[0]) / "stores" / path).read_text()
    found = {
        word: int(number)
        for words, number in re.findall(r"IN \(([^)]*)\) THEN ([0-9]+)", text)
        for word in re.findall(r"'([^']*)'", words)
    }
    assert found == {spelling: NUMBERS[name] for spelling, name in SPELLINGS}


def test_a_filter_of_an_older_puppylog_is_renewed() -> None:
    old = "REGEXP_LIKE(severity, '(?i)^(?:alert|emergency|emerg|panic)$') AND status_code >= 500"
    assert renew_patterns(old) == f"REGEXP_LIKE(severity, '{spelling_pattern([7, 8])}') AND status_code >= 500"
    assert renew_patterns("host = '(?i)^(?:x)$'") == "host = '(?i)^(?:x)$'"
