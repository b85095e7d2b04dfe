"""``puppylog doctor``: how a store is, what is wrong with it, and what to do."""

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
_RESTORE: Final = "if there is a copy of the store's directory, put it in place"
# Sentences are not broken into less than this, however narrow the terminal is.
_LEAST_WIDTH: Final = 40


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
    """Say how the store is, and what to do.

    Looks at the server and what it can do, faults of its version that are known, the jobs, metrics and alerts, and when
    the last lines of each stream came. It reads an embedded store's database, for 10 s at most, to find damage. It
    changes nothing, and a role that may only read can do it.

    The state of a finding is ok, note (worth knowing), warning (answers may be wrong, or soon will be) or wrong (it
    does not work). The exit code is 1 if any is a warning or wrong, otherwise 0.
    """
    findings = _list_findings(settings)
    write_findings(findings, settings)
    bad = sum(finding.state.is_bad for finding in findings)
    if bad:
        sys.stdout.flush()
        tell(settings, f"{bad} of {len(findings)} findings want somebody to act")
        raise click.exceptions.Exit(1)


def _list_findings(settings: Settings) -> Sequence[Finding]:
    """Return what is found. That a store is too damaged to be opened is a finding as well."""
    try:
        with connect(settings.store, timeout_s=settings.timeout_s) as store:
            return list_findings(store)
    except StoreDamaged as error:
        return [Finding("database", Health.WRONG, error.message, _RESTORE)]


def write_findings(findings: Sequence[Finding], settings: Settings) -> None:
    """Write a row for each. In a table the advice follows what was found, and a terminal gets whole sentences, too."""
    if settings.output != "table":
        write_rows([asdict(finding) for finding in findings], SCHEMA, settings)
        return
    table = TableWriter(sys.stdout, _COLUMNS, [False] * len(_COLUMNS), bold=wants_color(settings))
    table.write([row for finding in findings for row in _lines(finding, _room(findings))])


def _room(findings: Sequence[Finding]) -> int | None:
    """Return how wide a sentence may be; None if nobody cuts it."""
    width = terminal_width()
    if width is None:
        return None
    taken = max((len(clean(finding.subject)) for finding in findings), default=0) + len("warning") + _GAPS
    return max(_LEAST_WIDTH, width - taken)


def _lines(finding: Finding, room: int | None) -> list[tuple[str, str, str]]:
    text = clean(f"{finding.found}; {finding.advice}" if finding.advice else finding.found)
    lines = [text] if room is None else textwrap.wrap(text, room) or [""]
    return [(finding.subject, finding.state.value, lines[0]), *(("", "", line) for line in lines[1:])]
