"""``puppylog collector detect``: show how a file would be parsed, and the first line that does not fit."""

import contextlib
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.collecting import count_lines
from puppylog.cli.options import examples, output_options, pass_settings
from puppylog.cli.output import write_record, write_rows
from puppylog.cli.parsing import choose_format, format_options
from puppylog.cli.tables import Layout
from puppylog.errors import SourceError
from puppylog.formats.auto import MIN_COVERAGE, Auto
from puppylog.formats.base import Format
from puppylog.formats.detection import Verdict, judge, rank
from puppylog.model.record import RECORDS, Parsed
from puppylog.settings import Settings
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import cannot_read
from puppylog.tail.line_end import LineEnd, find_line_end
from puppylog.tail.source import STDIN, check_source, is_pipe
from puppylog.tui.clean import clean, width_of

_NOT_AT_ALL: Final = 1
_READ_BYTES: Final = 1 << 20
_MAX_BYTES: Final = 64 << 20  # read at most this much, even if the lines are long
_SHOWN_BEFORE: Final = 60  # characters shown before a mismatch
_SHOWN: Final = 100  # characters shown of a line with a mismatch
_SCHEMA: Final = pa.schema(
    [
        ("format", pa.string()),
        ("coverage", pa.float64()),
        ("records", pa.int64()),
        ("rejected", pa.int64()),
        ("joined", pa.int64()),
        ("times", pa.int64()),
        ("severities", pa.int64()),
        ("ambiguous_zones", pa.int64()),
        ("record", pa.string()),
        ("line", pa.int64()),
        ("column", pa.int64()),
        ("reason", pa.string()),
        ("text", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first line that does not fit the format."""

    number: int  # of the line, counted from 1
    column: int  # where the mismatch is, in characters counted from 0
    reason: str
    line: str


@click.command(
    epilog=examples(
        "puppylog collector detect access.log",
        "puppylog collector detect access.log -f '$remote_addr [$time_iso8601] \"$request\" $status $request_time'",
    )
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-l", "--lines", type=click.IntRange(min=1), default=10_000, show_default=True, help="Read at most this many lines."
)
@format_options
@output_options
@pass_settings
@click.pass_context
def detect(
    ctx: click.Context,
    settings: Settings,
    *,
    file: Path,
    lines: int,
    format_: str,
    format_from: Path | None,
    year: int | None,
) -> None:
    """Show how a file would be parsed.

    FILE may be compressed, a named pipe, or - for standard input. Shows the format, the share of lines that fit it, the
    first record, and the first line that does not fit, with a caret at the mismatch. Stores nothing. Exits with 1 if no
    line fits.
    """
    chosen = choose_format(settings, format_, format_from, year, joins_lines=True)
    data, modified_at_us = _read_lines(file, lines)
    verdicts = _judge_all(chosen, data, modified_at_us)
    if settings.output == "table":
        _show(file, verdicts, data, settings)
    else:
        write_rows([_row(verdict, data) for verdict in verdicts], _SCHEMA, settings)
    if not verdicts[0].fits:
        ctx.exit(_NOT_AT_ALL)


def _read_lines(file: Path, lines: int) -> tuple[bytes, int]:
    """Return the first ``lines`` lines, each with its newline, and the file's modification time in microseconds.

    Standard input and a named pipe are copied to a file first, at most `_MAX_BYTES` of them.

    Raises:
        SourceError: the file cannot be read, is not a log, or is empty.
    """
    if str(file) == STDIN or is_pipe(str(file)):
        data, modified_at_us = _read_pipe(file, lines)
    else:
        data, modified_at_us = _read_file(file, lines)
    if not data:
        raise SourceError("tell", f"the format of {file}", "it is empty")
    return data if data.endswith(b"\n") else data + b"\n", modified_at_us


def _read_pipe(pipe: Path, lines: int) -> tuple[bytes, int]:
    with tempfile.NamedTemporaryFile(prefix="puppylog-") as copy:
        try:
            with open(0, "rb", closefd=False) if str(pipe) == STDIN else pipe.open("rb") as source:
                copy.write(source.read(_MAX_BYTES))
        except OSError as error:
            raise cannot_read(str(pipe), error) from None
        copy.flush()
        try:
            return _read_file(Path(copy.name), lines)
        except SourceError as error:
            raise SourceError(error.verb, str(pipe), error.cause) from None


def _read_file(file: Path, lines: int) -> tuple[bytes, int]:
    check_source(str(file))
    data = b""
    try:
        with contextlib.closing(open_log(str(file))) as handle:
            modified_at_us = handle.status().st_mtime_ns // 1000
            newline = b"\r" if find_line_end(handle) is LineEnd.CR else b"\n"
            while len(data) < _MAX_BYTES and data.count(newline) < lines:
                block = handle.read(_READ_BYTES, len(data))
                if not block:
                    break
                data += block
    except OSError as error:
        raise cannot_read(str(file), error) from None
    return b"\n".join(data.split(newline, lines)[:lines]), modified_at_us


def _judge_all(chosen: Format, data: bytes, modified_at_us: int) -> list[Verdict]:
    """Return a verdict per format on the lines, first that of the format that a collector would choose."""
    if not isinstance(chosen, Auto):
        return [judge(chosen, data, modified_at_us)]
    verdicts = rank(chosen.candidates, data, modified_at_us)
    last_resort = judge(chosen.last_resort, data, modified_at_us)
    if verdicts[0].coverage >= MIN_COVERAGE:
        return [verdict for verdict in verdicts if verdict.fits]
    return [last_resort, *(verdict for verdict in verdicts if verdict.fits)]


def _find_mismatch(verdict: Verdict, data: bytes) -> Mismatch | None:
    rejects = verdict.parsed.rejects
    if not rejects.num_rows:
        return None
    number = data.count(b"\n", 0, rejects["line_offset"][0].as_py()) + 1
    line = rejects["line"][0].as_py().decode("utf-8", "replace").split("\n")[0]
    return Mismatch(number, min(verdict.format.find_mismatch(line), len(line)), rejects["reason"][0].as_py(), line)


def _row(verdict: Verdict, data: bytes) -> dict[str, object]:
    mismatch = _find_mismatch(verdict, data)
    row: dict[str, object] = {
        "format": verdict.format.name,
        "coverage": round(verdict.coverage, 6),
        "records": verdict.parsed.records.num_rows,
        "rejected": verdict.parsed.rejects.num_rows,
        "joined": verdict.parsed.continued,
        "times": _count_times(verdict.parsed),
        "severities": _count_severities(verdict.parsed),
        "ambiguous_zones": verdict.parsed.ambiguous_zones,
        "record": _write_first_record(verdict.parsed),
    }
    if mismatch is None:
        return row
    at = {"line": mismatch.number, "column": mismatch.column + 1, "reason": mismatch.reason, "text": mismatch.line}
    return row | at


def _show(file: Path, verdicts: list[Verdict], data: bytes, settings: Settings) -> None:
    best, *others = verdicts
    sys.stdout.write(clean(f"{file}: {_describe(best)}") + "\n")
    if others:
        sys.stdout.write(clean(f"also: {'; '.join(map(_describe, others))}") + "\n")
    if best.fits:
        sys.stdout.write("".join(f"{line}\n" for line in _describe_rows(best.parsed)))
        sys.stdout.write("\nthe first record\n")
        (record,) = best.parsed.records.slice(0, 1).to_pylist()
        known = {name: value for name, value in record.items() if value is not None}
        write_record(known, pa.schema([RECORDS.field(name) for name in known]), settings, Layout(is_exact=True))
    mismatch = _find_mismatch(best, data)
    if mismatch is not None:
        sys.stdout.write(f"\nthe first mismatch, line {mismatch.number}: {clean(mismatch.reason)}\n")
        sys.stdout.write(_point_at(mismatch) + "\n")


def _describe(verdict: Verdict) -> str:
    percent = f"{100 * verdict.coverage:.2f}".rstrip("0").rstrip(".")
    return f"{verdict.format.name}, {verdict.fits:,} of {verdict.lines:,} lines fit ({percent} %)"


def _describe_rows(parsed: Parsed) -> list[str]:
    """Return lines about what was found in the records: times, severities, and lines that were joined."""
    records = parsed.records.num_rows
    times, severities = _count_times(parsed), _count_severities(parsed)
    found = [f"time found in {times:,} of {records:,} records", f"severity in {severities:,}"]
    if parsed.continued:
        found.append(f"{count_lines(parsed.continued)} joined to the record before")
    lines = ["; ".join(found)]
    if parsed.ambiguous_zones:
        name = "times name" if parsed.ambiguous_zones > 1 else "time names"
        lines.append(f"{parsed.ambiguous_zones:,} {name} a zone that can mean several; --tz says which")
    return lines


def _count_times(parsed: Parsed) -> int:
    return parsed.records.num_rows - parsed.before - parsed.read


def _count_severities(parsed: Parsed) -> int:
    return int(parsed.records.num_rows - parsed.records["severity"].null_count)


def _write_first_record(parsed: Parsed) -> str | None:
    """Return the first record as a JSON object of the columns that have a value; None if there is no record."""
    if not parsed.records.num_rows:
        return None
    (record,) = parsed.records.slice(0, 1).to_pylist()
    known = {name: value for name, value in record.items() if value is not None}
    known["ts"] = known["ts"].isoformat().replace("+00:00", "Z")
    if "attributes" in known:
        known["attributes"] = json.loads(known["attributes"])
    return json.dumps(known, ensure_ascii=False)


def _point_at(mismatch: Mismatch) -> str:
    """Return the part of the line around the mismatch, and a caret below the mismatch."""
    start = max(0, mismatch.column - _SHOWN_BEFORE)
    before = ("…" if start else "") + clean(mismatch.line[start : mismatch.column])
    after = clean(mismatch.line[mismatch.column : start + _SHOWN])
    return f"  {before}{after}\n  {' ' * width_of(before)}^"
