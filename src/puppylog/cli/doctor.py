"""``puppylog doctor``: check a store, and show what is wrong with it and what to do."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options, timeout_option
from puppylog.cli.output import terminal_width, write_rows
from puppylog.cli.surroundings import wants_color
from puppylog.errors import StoreDamaged
from puppylog.model.finding import Finding, Health
from puppylog.monitor.doctor import list_findings, list_vital_findings
from puppylog.settings import Settings
from puppylog.stores.connect import connect
from puppylog.tui.table import TableWriter

SCHEMA: Final = pa.schema([(name, pa.string()) for name in ("subject", "state", "found", "advice")])

_COLUMNS: Final = ("subject", "state", "found")
# On a terminal the subject is the beginning of the sentence: a column of subjects would leave no space for sentences.
_NARROW_COLUMNS: Final = ("state", "finding")
_RESTORE: Final = "restore the store's directory from a copy, if there is one"


@click.command(
    epilog=examples(
        "puppylog doctor",
        "puppylog doctor --quick",
        "puppylog doctor -o jsonl | grep wrong",
        "puppylog doctor -q >/dev/null || mail …",
    )
)
@click.option(
    "--quick",
    is_flag=True,
    help="Check only whether the store answers, and whether metrics and alerts are kept up to date. For the health "
    "check of a container.",
)
@timeout_option
@output_options
@store_options
@pass_settings
def doctor(settings: Settings, *, quick: bool) -> None:
    """Check the store, and say what to do.

    Checks the server, what it can do and the known faults of its version, the jobs, metrics and alerts, and when the
    last lines of each stream were stored. Notes records of the last day without a time of their own. Reads an embedded
    store's database, for 10 s at most, to find damage. Changes nothing, and needs only the right to read.

    The state of a finding is ok, note (worth knowing), warning (answers may be wrong, or soon will be) or wrong
    (something does not work). The exit code is 1 if a finding is a warning or wrong, otherwise 0.
    """
    findings = _list_findings(settings, is_quick=quick)
    write_findings(findings, settings)
    bad = sum(finding.state.is_bad for finding in findings)
    if bad:
        sys.stdout.flush()
        tell(settings, f"{bad} of {len(findings)} findings need action")
        raise click.exceptions.Exit(1)


def _list_findings(settings: Settings, *, is_quick: bool) -> Sequence[Finding]:
    """Return all findings, or those of the quick check. A store that is too damaged to be opened is a finding, too."""
    try:
        with connect(settings.store, timeout_s=settings.timeout_s) as store:
            return list_vital_findings(store) if is_quick else list_findings(store)
    except StoreDamaged as error:
        return [Finding("database", Health.WRONG, error.message, _RESTORE)]


def write_findings(findings: Sequence[Finding], settings: Settings) -> None:
    """Write a row per finding. A table has the advice after what was found, and is wrapped to fit a terminal."""
    width = terminal_width()
    if settings.output != "table":
        write_rows([asdict(finding) for finding in findings], SCHEMA, settings)
    elif width is None:
        table = TableWriter(sys.stdout, _COLUMNS, [False] * len(_COLUMNS), bold=wants_color(settings))
        table.write([(finding.subject, finding.state.value, _describe(finding)) for finding in findings])
    else:
        table = TableWriter(sys.stdout, _NARROW_COLUMNS, [False, False], width, wants_color(settings), wrapped={1})
        table.write([(finding.state.value, f"{finding.subject}: {_describe(finding)}") for finding in findings])


def _describe(finding: Finding) -> str:
    return f"{finding.found}; {finding.advice}" if finding.advice else finding.found
