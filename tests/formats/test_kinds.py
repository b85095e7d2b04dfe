"""The kinds of logs that are files of the package: both paths, and that no file takes the lines of another format."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from formats.kinds import FOLDER, KINDS, read_kind_samples, repeat_samples
from formats.paths import PATHS, reading
from formats.sample_files import FAMILIES, line_of, read_samples
from puppylog.formats.file.definition import Definition, read_definition
from puppylog.formats.file.samples import check_samples
from puppylog.formats.registry import find_format

OF_APPLICATIONS = """
    airflow ansible caddy_console cassandra celery elasticsearch erlang fail2ban hclog java_util_logging jenkins
    mongodb_text nlog oslo rails tomcat uvicorn
"""
SHARED = {
    ("auditd", "logfmt"),
    ("dmesg", "syslog"),
    ("elasticsearch", "plain"),
    *((name, "app") for name in OF_APPLICATIONS.split()),
}
"""Pairs of a file and a general format that has a sample of the same kind."""


def read_kind(name: str) -> Definition:
    return read_definition(FOLDER / f"{name}.toml")


def find_matching(definition: Definition, lines: pa.Array) -> pa.Array:
    """Return the lines that the format reads as records, each line alone."""
    found = pa.repeat(False, len(lines))
    for pattern in definition.patterns:
        found = pc.or_(found, pc.match_substring_regex(lines, pattern.regex))
    if definition.begins is not None:
        found = pc.and_(found, pc.match_substring_regex(lines, definition.begins))
    return lines.filter(found)


@pytest.mark.parametrize("path", PATHS)
def test_every_sample_of_every_kind_is_read_as_its_file_says(path: str) -> None:
    with reading(path):
        wrong = {name: check_samples(read_kind(name)) for name in KINDS}
    assert {name: differences for name, differences in wrong.items() if differences} == {}


def test_every_kind_has_at_least_two_samples_with_records() -> None:
    assert len(KINDS) > 100
    counts = {name: sum(sample.becomes_a_record for sample in read_kind_samples(name)) for name in KINDS}
    assert {name: count for name, count in counts.items() if count < 2} == {}


@pytest.mark.parametrize("path", PATHS)
def test_auto_knows_each_kind_by_twenty_lines(path: str) -> None:
    chosen = {}
    with reading(path):
        for name in KINDS:
            parser = find_format("auto").open()
            parsed = parser.parse(repeat_samples(name), 0, 0)
            chosen[name] = (parser.name, parsed.rejects.num_rows)
    assert {name: found for name, found in chosen.items() if found != (name, 0)} == {}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_takes_no_line_of_another_format(name: str) -> None:
    lines: dict[str, set[str]] = {}
    for other in KINDS:
        if other != name:
            for sample in read_kind_samples(other):
                lines.setdefault(sample.line, set()).add(other)
    for family in FAMILIES:
        for text_sample in (one for one in read_samples(family) if "record" in one):
            lines.setdefault(line_of(text_sample).decode(errors="replace"), set()).add(family)
    taken = find_matching(read_kind(name), pa.array(lines))
    wrong = {
        line: owners for line in taken.to_pylist() if (owners := {o for o in lines[line] if (name, o) not in SHARED})
    }
    assert wrong == {}
