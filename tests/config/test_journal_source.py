"""A source that is the journal of systemd."""

from pathlib import Path

import pytest

from puppylog.config.reading import check_configuration, read_configuration


def test_a_journal_is_a_source_with_units_and_matches(tmp_path: Path) -> None:
    text = """
        [[source]]
        journal = true
        units = ["nginx", "ssh.socket"]
        matches = ["_HOSTNAME=web1"]
        journal_directory = "remote"
        group = "shop"
        from_end = true
    """
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    (source,) = read_configuration([path]).sources
    text = f"journal:{tmp_path}/remote?unit=nginx.service&unit=ssh.socket&match=_HOSTNAME=web1"
    assert (source.paths, source.group, source.from_end) == ((text,), "shop", True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '[[source]]\njournal = true\npaths = ["a"]',
            "[[source]] 1: paths is only for files, and the source is a journal",
        ),
        (
            '[[source]]\njournal = true\nformat = "json"',
            "[[source]] 1: format is only for files, and the source is a journal",
        ),
        (
            '[[source]]\njournal = true\nunits = ["a*"]',
            (
                "[[source]] 1: journal: cannot use the unit 'a*': it must be the name of one unit; "
                "patterns are not supported"
            ),
        ),
        (
            '[[source]]\npaths = ["a"]\nunits = ["b"]',
            "[[source]] 1: units is only for a journal; write journal = true",
        ),
        (
            '[[source]]\npaths = ["journal:"]',
            "[[source]] 1: paths: a journal is not a path; write journal = true",
        ),
    ],
)
def test_a_fault_of_a_journal_names_the_key(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    _, faults = check_configuration([path])
    assert [found.message for found in faults] == [f"cannot use {path}: {fault}"]
