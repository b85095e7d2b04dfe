"""The kinds of logs that are files of the package: both paths, and that no file takes the lines of another format."""

import random
from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from formats.kinds import FOLDER, KINDS, read_kind_samples, repeat_samples
from formats.paths import PATHS, reading
from formats.sample_files import FAMILIES, line_of, read_samples
from puppylog.formats.file.definition import Definition, read_definition
from puppylog.formats.file.samples import check_samples
from puppylog.formats.registry import find_format
from support.examples import IS_SOAK

GENERAL = [
    "2026-11-24 10:00:00 ERROR: cannot pay",
    "2026-11-24 10:00:00 ERROR cannot pay",
    "2026-11-24 10:00:00 [ERROR] cannot pay",
    "2026-11-24 10:00:00,123 - shop - ERROR - cannot pay",
    "2026-11-24 10:00:00,123 ERROR [main] org.example.shop.Cart - cannot pay",
    "2026-11-24 10:00:00.123 ERROR 12 --- [main] o.e.shop.Cart : cannot pay",
    "2026-11-24 10:00:00 cannot pay",
    "2026-11-24T10:00:00Z ERROR cannot pay",
    "2026-11-24T10:00:00.123456Z ERROR shop::cart: cannot pay",
    "2026-11-24T10:00:00.123+01:00 cannot pay",
    "[2026-11-24 10:00:00] ERROR: cannot pay",
    "[2026-11-24 10:00:00] shop.ERROR: cannot pay",
    "[2026-11-24 10:00:00 +0000] [12] [ERROR] cannot pay",
    "[2026-11-24T10:00:00Z ERROR shop::cart] cannot pay",
    "2026/11/24 10:00:00 cannot pay",
    "2026/11/24 10:00:00 ERROR: cannot pay",
    "26/11/24 10:00:00 ERROR Cart: cannot pay",
    "24/Nov/2026 10:00:00 ERROR cannot pay",
    "24.11.2026 10:00:00 ERROR cannot pay",
    "Tue Nov 24 10:00:00 2026 cannot pay",
    "Nov 24 10:00:00 web1 shop[12]: cannot pay",
    "Nov 24 10:00:00 shop: cannot pay",
    "1795514400 cannot pay",
    "1795514400.123 ERROR cannot pay",
    "10:00:00 ERROR cannot pay",
    "ERROR: cannot pay",
    "ERROR cannot pay",
    "[ERROR] cannot pay",
    "2026-11-24T10:00:00Z [PAY] ERROR: cannot pay",
    "<14>1 2026-11-24T10:00:00Z web1 shop 12 - - cannot pay",
    "level=error msg=x",
    "at=error method=GET",
    "cannot pay",
]
"""Lines of no certain program: a format file that takes one would take the logs of other programs, too."""

SHARED = {
    ("auditd", "logfmt"),
    ("cef", "syslog"),
    ("dmesg", "janus"),  # of an entry without a level both have a time and a text
    ("dmesg", "syslog"),
    ("elasticsearch", "plain"),
    ("epoch", "general"),  # a line says nothing more, but a file of such lines has times
    ("fortigate", "syslog"),
    ("influxdb", "logfmt"),
    ("janus", "dmesg"),
    ("leef", "syslog"),
}
"""Pairs of a file and a general format that has a sample of the same kind."""


@cache
def read_kind(name: str) -> Definition:
    return read_definition(FOLDER / f"{name}.toml")


def choose_kinds() -> Sequence[str]:
    """Return all kinds, or those that this run of `make test` tries: a third, which the seed of the run decides."""
    return KINDS if IS_SOAK else random.sample(KINDS, len(KINDS) // 3)


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
        wrong = {name: check_samples(read_kind(name)) for name in choose_kinds()}
    assert {name: differences for name, differences in wrong.items() if differences} == {}


def test_every_kind_has_at_least_two_samples_with_records() -> None:
    assert len(KINDS) > 100
    counts = {name: sum(sample.becomes_a_record for sample in read_kind_samples(name)) for name in KINDS}
    assert {name: count for name, count in counts.items() if count < 2} == {}


def test_auto_knows_each_kind_by_twenty_lines() -> None:
    chosen = {}
    for name in choose_kinds():
        parser = find_format("auto").open()
        parsed = parser.parse(repeat_samples(name), 0, 0)
        chosen[name] = (parser.name, parsed.rejects.num_rows)
    assert {name: found for name, found in chosen.items() if found != (name, 0)} == {}


def test_a_kind_takes_no_line_of_another_format() -> None:
    owners = {line: {"general"} for line in GENERAL}
    for kind in KINDS:
        for sample in read_kind_samples(kind):
            owners.setdefault(sample.line, set()).add(kind)
    for family in (one for one in FAMILIES if one != "app"):  # it has samples of many kinds that are files, too
        for text_sample in (one for one in read_samples(family) if "record" in one):
            owners.setdefault(line_of(text_sample).decode(errors="replace"), set()).add(family)
    lines = pa.array(owners)
    wrong = {}
    for name in KINDS:
        for line in find_matching(read_kind(name), lines).to_pylist():
            others = {owner for owner in owners[line] - {name} if (name, owner) not in SHARED}
            if others:
                wrong[name, line] = others
    assert wrong == {}


@pytest.mark.parametrize("first", [0, 1], ids=["a level first", "a level later"])
def test_lines_of_go_without_a_level_are_records_although_some_have_one(first: int) -> None:
    lines = [f"2026/11/24 10:00:0{at} till {at} opens" for at in range(6)]
    for at in (first, 4):
        lines[at] = f"2026/11/24 10:00:0{at} [INFO] the shop is open"
    parsed = find_format("auto").open().parse("".join(f"{line}\n" for line in lines).encode(), 0, 0)
    assert (parsed.records.num_rows, parsed.continued, parsed.rejects.num_rows) == (6, 0, 0)
