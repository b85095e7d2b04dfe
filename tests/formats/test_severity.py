"""The severity of a record, and the word that its line has."""

import pytest

from puppylog.formats.severity import severity_columns
from puppylog.model.severity import SEVERITIES


@pytest.mark.parametrize(
    ("written", "severity", "kept"),
    [
        ("WARN", "warning", ['"WARN"']),
        ("err", "error", ['"err"']),
        ("Information", "info", ['"Information"']),
        ("ERROR", "error", []),
        ("notice", "notice", []),
    ],
)
def test_the_written_word_is_kept_where_it_differs_from_the_name(written: str, severity: str, kept: list[str]) -> None:
    assert severity_columns(written) == (severity, [("severity_text", value) for value in kept])


@pytest.mark.parametrize("written", ["", "W", "3", "loud", "\u017fevere"])
def test_another_word_is_no_severity(written: str) -> None:
    assert severity_columns(written) == (None, [])


def test_every_spelling_has_its_name() -> None:
    for severity in SEVERITIES:
        for spelling in severity.spellings:
            assert severity_columns(spelling.upper())[0] == severity.name
