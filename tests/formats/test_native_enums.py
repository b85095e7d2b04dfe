"""The enumerations of the native readers are the same in Python."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from formats.native_builds import build, find_compiler
from puppylog.formats import apache_error, cri, envoy, haproxy, json_lines, klog, logfmt, names, native, nginx_error
from puppylog.formats.access import access_log
from puppylog.formats.layout import program
from puppylog.formats.postgresql import csvlog, stderr
from puppylog.formats.postgresql.head import Field
from puppylog.formats.severity import NOTATIONS
from puppylog.formats.syslog import reasons
from puppylog.formats.zones import AMBIGUOUS, AREAS, ZONES
from puppylog.model import severity
from puppylog.stores.postgres.ingest import pgcopy

LISTS: dict[str, Sequence[str]] = {
    "access variants": [variant.value for variant in access_log._NUMBERS],
    "access reasons": access_log._REASONS,
    "cri reasons": cri.REASONS,
    "json reasons": json_lines.REASONS,
    "logfmt reasons": logfmt.REASONS,
    "syslog reasons": reasons.REASONS,
    "apache_error reasons": apache_error.REASONS,
    "nginx_error reasons": nginx_error.REASONS,
    "postgresql reasons": stderr.REASONS,
    "postgresql_csv reasons": csvlog.REASONS,
    "postgresql fields": [field.name for field in Field],
    "haproxy reasons": haproxy.REASONS,
    "envoy reasons": envoy.REASONS,
    "klog reasons": klog.REASONS,
    "layout reasons": program.REASONS,
    "layout kinds": [kind.name for kind in program.Kind],
    "layout endings": [ending.name for ending in program.Ending],
    "text columns": program.TEXT_COLUMNS,
    "named fields": names.FIELDS,
    "severities": severity.SCALE,
    "severity notations": NOTATIONS,
    "name rules": names.RULES,
    "name signs": names.SIGNS,
    "severity spellings": [
        f"SEVERITY_{one.name.upper()} {spelling}" for one in severity.SEVERITIES for spelling in one.spellings
    ],
    "zones": [f"{name} {zone_m}" for name, zone_m in ZONES.items()],
    "ambiguous zones": AMBIGUOUS,
    "areas of zones": AREAS,
}
NO_REASON = "none: the line fits"  # the last member of some enumerations in Python

# Python writes to these objects once, when it loads the module.
WRITTEN_BY_PYTHON = {"module", "module_slots", "methods", "buffer_slots", "buffer_spec"}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_an_enumeration_is_the_same_in_c_and_in_python(name: str) -> None:
    if native.lines is None:
        pytest.skip("NOT TESTED: the lists of the native readers; there was no C compiler when Puppylog was installed")
    assert native.lines.ENUMS[name] == [text for text in LISTS[name] if text != NO_REASON]


def test_every_enumeration_in_c_is_compared() -> None:
    if native.lines is None:
        pytest.skip("NOT TESTED: the lists of the native readers; there was no C compiler when Puppylog was installed")
    assert sorted(native.lines.ENUMS) == sorted(LISTS)


@pytest.mark.sampled
@pytest.mark.parametrize("file", [native.__file__, pgcopy.__file__])
def test_a_module_in_c_has_no_memory_that_threads_or_interpreters_share(file: str) -> None:
    compiler = find_compiler()
    nm = shutil.which("nm")
    if compiler is None or nm is None:
        pytest.skip("NOT TESTED: the memory of the modules in C; there is no C compiler, or no nm")
    # The code is position-dependent, because otherwise constants with addresses are in writable sections.
    flags = ["-r", "-nostdlib", "-fno-pic", "-fno-pie"]
    linked = build(compiler, Path(file).parent, "linked.o", *flags)
    listed = subprocess.run([nm, str(linked)], check=True, capture_output=True, text=True).stdout
    symbols = [line.split()[-2:] for line in listed.splitlines()]
    writable = {name.lstrip("_") for kind, name in symbols if kind in "bBdDcC"}
    assert "module" in writable
    assert writable - WRITTEN_BY_PYTHON == set()
