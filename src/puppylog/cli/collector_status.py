"""``puppylog collector status``: whether the collectors of a store keep up, on all machines."""

import sys
from collections.abc import Sequence
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.messages import tell, warn
from puppylog.cli.options import examples, group_option, output_options, pass_settings, store_options
from puppylog.cli.output import write_rows
from puppylog.cli.tables import Layout
from puppylog.model.number import format_bytes, format_duration, format_number
from puppylog.model.period import format_period, parse_period
from puppylog.monitor.collectors import STALE_S, FollowedStream, StreamState, list_followed_streams
from puppylog.settings import Settings
from puppylog.stores.connect import connect

SCHEMA: Final = pa.schema(
    [
        ("source", pa.string()),
        ("host", pa.string()),
        ("group", pa.string()),
        ("state", pa.string()),
        ("lag_bytes", pa.int64()),
        ("lag_s", pa.float64()),
        ("lines_per_s", pa.float64()),
        ("records", pa.int64()),
        ("rejected", pa.int64()),
        ("waiting", pa.int64()),
        ("format", pa.string()),
        ("stored_at", pa.timestamp("us", "UTC")),
        ("report_age_s", pa.float64()),
        ("problem", pa.string()),
    ]
)
_LAYOUT: Final = Layout(
    # The problem of a stalled stream is reported on stderr as well.
    expendable=(
        *("report_age_s", "group", "format", "stored_at", "waiting", "problem", "lag_bytes", "host"),
        *("records", "lines_per_s", "rejected", "lag_s"),
    ),
    paths=("source",),
    wrapped=("problem",),
    headings={
        "lag_bytes": "lag",
        "lag_s": "behind",
        "lines_per_s": "lines/s",
        "stored_at": "last stored",
        "report_age_s": "reported",
    },
    shown={
        **dict.fromkeys(("records", "rejected", "waiting", "lines_per_s"), format_number),
        "lag_bytes": format_bytes,
        "lag_s": lambda lag_s: format_duration(lag_s) if lag_s else "0 s",
        "report_age_s": lambda age_s: f"{format_duration(age_s)} ago",
    },
)
_MAX_REPORTED: Final = 20


@click.command(
    epilog=examples(
        "puppylog collector status",
        "puppylog collector status --stale 2m --group shop",
        "puppylog collector status -q >/dev/null || mail …",
        "puppylog collector status -o jsonl | jq 'select(.lag_s > 60)'",
    )
)
@click.option(
    "--stale",
    default=format_period(STALE_S),
    show_default=True,
    help="A stream has stalled after this time without a report, or without a line stored while lines wait.",
)
@click.option("--within", metavar="TIME", help="Leave out streams whose last report is older than this.")
@group_option("Only streams of this log group.")
@output_options
@store_options
@pass_settings
def status(settings: Settings, *, stale: str, within: str | None, group: str | None) -> None:
    """Show whether the collectors keep up.

    One row per stream that a collector of this store follows or has followed, on any machine. Its state is ok (every
    line is stored), behind (lines wait, and are being stored), stalled, finished (the file is gone, and every line of
    it is stored), or ended (the collector has ended normally).

    Records and rejected are what the store has committed since the collector started. Waiting is the number of lines
    that are read and not committed; the lag covers everything that is not committed, read or not.

    A table that does not fit the terminal leaves columns out and names them; the other formats have all columns.

    The exit code is 1 if a stream has stalled: lines wait and none is stored, the file cannot be read, the store cannot
    be written, or the collector does not report. It is 0 otherwise.
    """
    stale_s = parse_period(stale, "--stale")
    within_s = None if within is None else parse_period(within, "--within")
    with connect(settings.store) as store:
        streams = list_followed_streams(store, stale_s=stale_s, within_s=within_s, group=group)
    if not streams:
        tell(settings, "no collector has reported yet")
    write_streams(streams, settings)
    sys.stdout.flush()
    if not _tell_stalled(streams):
        raise click.exceptions.Exit(1)


def write_streams(streams: Sequence[FollowedStream], settings: Settings) -> None:
    """Write a row per stream."""
    write_rows([_row(stream) for stream in streams], SCHEMA, settings, _LAYOUT)


def _row(stream: FollowedStream) -> dict[str, object]:
    return {
        "source": stream.source,
        "host": stream.host,
        "group": stream.group,
        "state": stream.state,
        "lag_bytes": stream.lag_bytes,
        "lag_s": round(stream.lag_s, 1),
        "lines_per_s": round(stream.lines_per_s, 1),
        "records": stream.records,
        "rejected": stream.rejects,
        "waiting": stream.waiting_lines,
        "format": stream.format or None,
        "stored_at": stream.stored_at,
        "report_age_s": round(stream.report_age_s, 1),
        "problem": stream.problem,
    }


def _tell_stalled(streams: Sequence[FollowedStream]) -> bool:
    """Report which streams have stalled, and why. Return whether no stream has."""
    stalled = [stream for stream in streams if stream.state is StreamState.STALLED]
    for stream in stalled[:_MAX_REPORTED]:
        warn(f"{stream.name} has stalled: {stream.problem}")
    if len(stalled) > _MAX_REPORTED:
        warn(f"and {len(stalled) - _MAX_REPORTED} more have stalled")
    return not stalled
