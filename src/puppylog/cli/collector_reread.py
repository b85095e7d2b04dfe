"""``puppylog collector reread``: read a stream again in another format, and replace its records."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from puppylog.cli.claiming import claim, complete_streams, confirm, describe_rows
from puppylog.cli.collecting import Reporter, count_lines
from puppylog.cli.messages import tell, warn
from puppylog.cli.options import examples, host_option, pass_settings, store_options
from puppylog.cli.parsing import choose_format, format_options, multiline_option, zone_option
from puppylog.cli.signals import Signals
from puppylog.collect.events import Progress
from puppylog.collect.format_choice import joins_lines, make_source
from puppylog.collect.options import SourceOptions
from puppylog.collect.reread import Counts, DryRewriting, Rereader
from puppylog.collect.retry import call_with_retry
from puppylog.collect.stored_files import StoredFile, find_stored_files
from puppylog.errors import NotFound, PuppylogError, SourceError, UsageError
from puppylog.formats.listed_formats import AUTO
from puppylog.formats.registry import is_kept_by_auto
from puppylog.model.number import format_bytes, format_number
from puppylog.model.source import name_source, split_uri
from puppylog.model.stream import Stream
from puppylog.monitor.streams import StoredRows, count_rows, find_source_uri
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.tui.clean import clean

_TRIES: Final = 6
"""How often a file is tried while the store does not answer. A file whose transaction failed is read again."""

_MOVES: Final = 3
"""How often a file is found again that was rotated while others were read."""

_DAY_S: Final = 86_400
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is read again of a stream, and what is not."""

    name: str  # of the stream
    stream: Stream
    rows: Mapping[int, StoredRows]  # what the store has of each file, by the id of the file
    files: Sequence[StoredFile]  # with stored rows; those that are still there
    gone: Sequence[StoredFile]  # the others with stored rows

    @property
    def size_bytes(self) -> int:
        """How many bytes are read, after decompression."""
        return sum(file.position.byte_offset for file in self.files)

    def count_stored(self, files: Sequence[StoredFile]) -> tuple[int, int]:
        """Return the numbers of records and of rejected lines that the store has of some files."""
        rows = [self.rows[file.position.file_id] for file in files]
        return sum(row.records for row in rows), sum(row.rejects for row in rows)


@click.command(
    epilog=examples(
        "puppylog collector reread /var/log/shop/app.log --format json --dry-run",
        "puppylog collector reread /var/log/shop/app.log --format json",
        "puppylog collector reread access.log --format combined --tz Europe/Berlin --yes",
        "puppylog collector reread app.log --multiline indent",
    )
)
@click.argument("source", metavar="SOURCE", shell_complete=complete_streams)
@format_options
@multiline_option
@click.option("--dry-run", is_flag=True, help="Read the files, show what would be stored, change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@zone_option
@host_option
@store_options
@pass_settings
@click.pass_context
def reread(
    ctx: click.Context,
    settings: Settings,
    *,
    source: str,
    format_: str,
    format_from: Path | None,
    year: int | None,
    multiline: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Read a stream again, and replace its records.

    SOURCE is a path, or the name of a stream as 'puppylog streams list' shows it. Use this after a stream was read in a
    wrong format or time zone. All files of the stream that are still there are read again up to where they are stored,
    rotated and compressed ones too. The records and rejected lines of each file are replaced in one transaction, so
    every line is stored once and metrics count the new records, even if the command is killed. Records of files that
    are gone stay as they are, and so do the positions: a collector goes on where it was.

    No collector may follow the stream. Without --format, the format is found by the lines of each file.
    """
    chosen = choose_format(settings, format_, format_from, year, joins_lines=joins_lines(multiline))
    keeps_format = format_ != AUTO and is_kept_by_auto(chosen)
    options = make_source([], chosen, multiline=multiline)
    with Signals() as signals, Reporter(settings) as reporter, connect(settings.store) as store:
        host = settings.host if store.is_shared else ""
        source_uri = find_source_uri(store, source, host)
        _check_source(source_uri, host)
        stream = claim(store, source_uri, "reread")
        try:
            plan = _make_plan(store, stream)
            _tell_plan(settings, plan)
            if not plan.files:
                raise SourceError("reread", f"stream {plan.name}", "none of its files exists any longer")
            if not dry_run and not yes:
                confirm(f"Replace {describe_rows(*plan.count_stored(plan.files))} of {plan.name}?")
            run = _Run(store, plan, signals, reporter)
            run.read_files(options, is_dry=dry_run, keeps_format=keeps_format)
        finally:
            store.close_stream(stream.stream_id)
    if dry_run:
        for line in run.describe_dry():
            sys.stdout.write(clean(line) + "\n")
    else:
        tell(settings, run.describe())
        if run.done and format_ != AUTO:
            kept = f"a collector with --format auto reads the next files of this stream as {chosen.name}, too"
            again = "give the collector the same --format: auto chooses again for these files"
            tell(settings, kept if keeps_format else again)
    if run.failed:
        ctx.exit(SourceError.exit_code)


def _check_source(source_uri: str, host: str) -> None:
    """Check that the lines of a source came from files of this machine."""
    name = clean(name_source(source_uri))
    if not source_uri.startswith("file:"):
        raise UsageError("reread", f"stream {name}", "its lines did not come from files")
    on = split_uri(source_uri)[0]
    if on not in {None, host}:
        raise UsageError("reread", f"stream {name}", f"its files are on {on}", "run the command there")


def _make_plan(store: Store, stream: Stream) -> _Plan:
    rows = count_rows(store, stream.stream_id)
    found = [file for file in find_stored_files(stream) if file.position.file_id in rows]
    there = [file for file in found if file.path is not None]
    gone = [file for file in found if file.path is None]
    name = clean(name_source(stream.source_uri))
    if not found:
        raise NotFound("reread", f"stream {name}", "no record of it is stored")
    return _Plan(name, stream, rows, there, gone)


def _tell_plan(settings: Settings, plan: _Plan) -> None:
    count = "1 file" if len(plan.files) == 1 else f"{format_number(len(plan.files))} files"
    tell(settings, f"{plan.name}: {count} to read, {format_bytes(plan.size_bytes)}")
    for file in plan.gone[:_SHOWN]:
        cause = file.problem or "it no longer exists"
        kept = describe_rows(*plan.count_stored([file]))
        warn(f"{file.position.path} is not read: {cause}; its {kept} stay as they are")
    if len(plan.gone) > _SHOWN:
        warn(f"and {format_number(len(plan.gone) - _SHOWN)} more files are not read")


class _Run:
    """Reads the files of a plan."""

    def __init__(self, store: Store, plan: _Plan, signals: Signals, reporter: Reporter) -> None:
        self.done: list[StoredFile] = []
        self.failed: list[StoredFile] = []
        self.counts = Counts()
        self._store = store
        self._plan = plan
        self._signals = signals
        self._reporter = reporter
        self._read_bytes = 0

    def read_files(self, options: SourceOptions, *, is_dry: bool, keeps_format: bool) -> None:
        """Read all files, one after another. A file that cannot be read is reported and left as it is stored."""
        rereader = Rereader(
            options,
            DryRewriting if is_dry else self._store.rewriting,
            keeps_format=keeps_format,
            expired_before_us=_find_expiry(self._store, self._plan.stream),
            stop=self._signals.stop,
            on_read=self._note_read,
        )
        for file in self._plan.files:
            if self._signals.stop.is_set():
                self.failed.append(file)
                continue
            try:
                self.counts.add(self._read_moved(rereader, file))
            except SourceError as error:
                warn(error.message)
                self.failed.append(file)
            else:
                self.done.append(file)

    def _read_moved(self, rereader: Rereader, file: StoredFile) -> Counts:
        """Read a file. If it was rotated since it was found, find it again."""
        for _ in range(_MOVES):
            try:
                return self._read(rereader, file)
            except SourceError:
                found = find_stored_files(self._plan.stream)
                moved = next(one for one in found if one.position == file.position)
                if self._signals.stop.is_set() or moved.path in {None, file.path}:
                    raise
                file = moved
        return self._read(rereader, file)

    def _read(self, rereader: Rereader, file: StoredFile) -> Counts:
        rows = dict(self._plan.rows)
        tries = 0

        def read() -> Counts:
            nonlocal tries, rows
            tries += 1
            if tries > 1:  # retention may have dropped rows
                rows = dict(count_rows(self._store, self._plan.stream.stream_id))
            stored = rows.get(file.position.file_id)
            if stored is None or file.path is None:
                return Counts()
            return rereader.reread(self._plan.stream.stream_id, file.position, file.path, stored.first_offset)

        def may_retry(error: PuppylogError) -> bool:
            return error.transient and tries < _TRIES

        return call_with_retry(read, self._signals.stop, self._reporter.on_event, may_retry=may_retry)

    def _note_read(self, size_bytes: int) -> None:
        self._read_bytes += size_bytes
        total_bytes = max(self._plan.size_bytes, self._read_bytes)
        self._reporter.on_event(Progress(self._read_bytes, total_bytes, self.counts.records, self.counts.rejects))

    def describe(self) -> str:
        """Return a line about what was replaced."""
        counts = self.counts
        return (
            f"replaced {describe_rows(counts.removed_records, counts.removed_rejects)} of {self._plan.name} by "
            f"{describe_rows(counts.records, counts.rejects)}{self._describe_rest()}"
        )

    def describe_dry(self) -> list[str]:
        """Return lines about what would be stored, the most frequent reasons of rejected lines last."""
        now = self._plan.count_stored(self.done)
        then = describe_rows(self.counts.records, self.counts.rejects)
        line = f"{describe_rows(*now)} are stored; there would be {then}{self._describe_rest()}"
        reasons = self.counts.reasons.most_common(_SHOWN)
        return [line] + [f"{format_number(number):>8} rejected: {reason}" for reason, number in reasons]

    def _describe_rest(self) -> str:
        counts = self.counts
        formats = f", read as {', '.join(counts.formats)}" if counts.formats else ""
        rowless = f", {count_lines(counts.rowless)} without a row" if counts.rowless else ""
        expired = f"; {format_number(counts.expired)} records are too old to be kept" if counts.expired else ""
        failed = f"; {format_number(len(self.failed))} files are as they were" if self.failed else ""
        return f"{rowless}{formats}{expired}{failed}"


def _find_expiry(store: Store, stream: Stream) -> int | None:
    """Return the instant before which retention has dropped records of a stream; None if it has not.

    It drops by days, so the last two days of the limit may still be there.
    """
    keep_s = store.get_retention().find_group_keep_s(stream.group)
    return None if keep_s is None else round((time.time() - keep_s - 2 * _DAY_S) * 1_000_000)
