"""``puppylog doctor``: check a store, and show what is wrong with it and what to do."""

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.options import examples, output_options, pass_settings, store_options, timeout_option
from puppylog.cli.output import terminal_width, wants_color, write_rows
from puppylog.cli.talk import tell
from puppylog.errors import StoreDamaged
from puppylog.model.finding import Finding, Health
from puppylog.monitor.doctor import list_findings
from puppylog.settings import Settings
from puppylog.stores.connect import connect
from puppylog.tui.clean import clean
from puppylog.tui.table import TableWriter

SCHEMA: Final = pa.schema([(name, pa.string()) for name in ("subject", "state", "found", "advice")])

_COLUMNS: Final = ("subject", "state", "found")
_GAPS: Final = 4
_RESTORE: Final = "restore the store's directory from a copy, if there is one"
# Sentences are not wrapped to less than this, however narrow the terminal is.
_LEAST_WIDTH: Final = 24


@click.command(
    epilog=examples(
        "puppylog doctor", "puppylog doctor -o jsonl | grep wrong", "puppylog doctor -q >/dev/null || mail …"
    )
)
@timeout_option
@output_options
@store_options
@pass_settings
def doctor(settings: Settings) -> None:
    """Check the store, and say what to do.

    Checks the server, what it can do and the known faults of its version, the jobs, metrics and alerts, and when the
    last lines of each stream were stored. Reads an embedded store's database, for 10 s at most, to find damage. Changes
    nothing, and needs only the right to read.

    The state of a finding is ok, note (worth knowing), warning (answers may be wrong, or soon will be) or wrong
    (something does not work). The exit code is 1 if a finding is a warning or wrong, otherwise 0.
    """
    findings = _list_findings(settings)
    write_findings(findings, settings)
    bad = sum(finding.state.is_bad for finding in findings)
    if bad:
        sys.stdout.flush()
        tell(settings, f"{bad} of {len(findings)} findings need action")
        raise click.exceptions.Exit(1)


def _list_findings(settings: Settings) -> Sequence[Finding]:
    """Return all findings. A store that is too damaged to be opened is a finding, too."""
    try:
        with connect(settings.store, timeout_s=settings.timeout_s) as store:
            return list_findings(store)
    except StoreDamaged as error:
        return [Finding("database", Health.WRONG, error.message, _RESTORE)]


def write_findings(findings: Sequence[Finding], settings: Settings) -> None:
    """Write a row per finding. A table has the advice behind what was found, and wraps both to fit a terminal."""
    if settings.output != "table":
        write_rows([asdict(finding) for finding in findings], SCHEMA, settings)
        return
    table = TableWriter(sys.stdout, _COLUMNS, [False] * len(_COLUMNS), bold=wants_color(settings))
    table.write([row for finding in findings for row in _lines(finding, _sentence_width(findings))])


def _sentence_width(findings: Sequence[Finding]) -> int | None:
    """Return the width to which sentences are wrapped, in cells; None if stdout is not a terminal."""
    width = terminal_width()
    if width is None:
        return None
    taken = max((len(clean(finding.subject)) for finding in findings), default=0) + len("warning") + _GAPS
    return max(_LEAST_WIDTH, width - taken)


def _lines(finding: Finding, width: int | None) -> list[tuple[str, str, str]]:
    text = clean(f"{finding.found}; {finding.advice}" if finding.advice else finding.found)
    lines = [text] if width is None else textwrap.wrap(text, width) or [""]
    return [(finding.subject, finding.state.value, lines[0]), *(("", "", line) for line in lines[1:])]
