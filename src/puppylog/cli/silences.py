"""``puppylog monitor alerts silence | unsilence | silences | ack``: silences, and acknowledgements of a person."""

import os
import pwd
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import click
import pyarrow as pa
from click.shell_completion import CompletionItem

from puppylog.cli.complete import ask_store, complete_alerts, matching
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options, tz_option
from puppylog.cli.output import write_rows
from puppylog.cli.tables import Layout
from puppylog.cli.times import parse_instant
from puppylog.errors import NotFound, UsageError
from puppylog.model.period import parse_period
from puppylog.model.silence import Silence, check_silence, find_silence_state, matches_pattern, name_silence
from puppylog.monitor.alerts import get_alert, read_alerts
from puppylog.settings import Settings
from puppylog.stores.connect import connect
from puppylog.tui.times import localize

_INSTANT: Final = pa.timestamp("us", "UTC")
_LISTED: Final = pa.schema(
    [
        ("name", pa.string()),
        ("state", pa.string()),
        ("alert", pa.string()),
        ("segment", pa.string()),
        ("starts_at", _INSTANT),
        ("ends_at", _INSTANT),
        ("author", pa.string()),
        ("comment", pa.string()),
        ("is_declared", pa.bool_()),
    ]
)
_LAYOUT: Final = Layout(
    expendable=("is_declared", "starts_at", "author", "comment", "segment"),
    wrapped=("comment",),
    headings={"starts_at": "from", "ends_at": "to", "is_declared": "in a file"},
    shown={"is_declared": lambda is_declared: "yes" if is_declared else "no"},
)

_author_option = click.option("--author", metavar="NAME", help="Who says so. Default: your user name.")
_comment_option = click.option("--comment", metavar="TEXT", default="", help="Why, for others to read.")


def _complete_silences(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the silences that can be ended."""
    del parameter
    return matching(ask_store(ctx, lambda store: [silence.name for silence in store.list_silences()]), incomplete)


@click.command(
    epilog=examples(
        "puppylog monitor alerts silence errors --for 2h --comment 'database upgrade'",
        "puppylog monitor alerts silence 'shop_*' --segment 'web-*' --until 06:00 --name night",
    )
)
@click.argument("alert", metavar="NAME-OR-PATTERN", shell_complete=complete_alerts)
@click.option("--segment", metavar="PATTERN", default="*", help="Only segments that match. Default: all.")
@click.option("--for", "for_", metavar="PERIOD", help="How long, such as 30m, 2h or 7d.")
@click.option("--until", metavar="TIME", help="Up to this time: 06:00 is the next one.")
@click.option("--from", "from_", metavar="TIME", help="From this time on: 22:00 is the next one. Default: now.")
@click.option("--name", metavar="NAME", help="The silence's name. Default: the patterns.")
@_author_option
@_comment_option
@tz_option("The time zone of times given without an offset: local (default), UTC, or Area/City.")
@store_options
@pass_settings
def silence(
    settings: Settings,
    *,
    alert: str,
    segment: str,
    for_: str | None,
    until: str | None,
    from_: str | None,
    name: str | None,
    author: str | None,
    comment: str,
) -> None:
    """Hold back the messages of alerts for a time.

    In a pattern, * is any text and ? is any character. Alerts are evaluated as before. When the silence ends, what is
    true then is sent: that an alert fires, or that an alert is resolved if people were told that it fires. A silence
    of the same name is replaced.
    """
    now = settings.clock()
    starts_at = now if from_ is None else parse_instant(from_, "--from", now=now, zone=settings.zone, after=now)
    silence = Silence(
        name=name or name_silence(alert, segment),
        alert=alert,
        segment=segment,
        starts_at=starts_at,
        ends_at=_read_end(settings, for_, until, starts_at),
        author=author or _user_name(),
        comment=comment,
    )
    check_silence(silence)
    with connect(settings.store) as store:
        matched = {state.alert.name for state in read_alerts(store).states if matches_pattern(alert, state.alert.name)}
        is_new = store.set_silence(silence)
    end = localize(silence.ends_at, settings.zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    tell(settings, f"{'silenced' if is_new else 'changed silence'} {silence.name} until {end}: {_name(matched)}")


def _read_end(settings: Settings, for_: str | None, until: str | None, starts_at: datetime) -> datetime:
    if (for_ is None) == (until is None):
        raise UsageError("silence", "alerts", "one of --for and --until must be given", advice="as in --for 2h")
    if for_ is not None:
        return starts_at + timedelta(seconds=parse_period(for_, "--for"))
    return parse_instant(str(until), "--until", now=settings.clock(), zone=settings.zone, after=starts_at)


def _name(alerts: set[str]) -> str:
    if not alerts:
        return "no alert has such a name yet"
    return "alert " + next(iter(alerts)) if len(alerts) == 1 else f"{len(alerts)} alerts"


def _user_name() -> str:
    """Return the name of the user who runs the process; the number if the system has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@click.command(epilog=examples("puppylog monitor alerts unsilence errors"))
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=_complete_silences)
@store_options
@pass_settings
def unsilence(settings: Settings, names: tuple[str, ...]) -> None:
    """End silences now. What is true now is sent."""
    with connect(settings.store) as store:
        for name in names:
            store.end_silence(name, settings.clock())
            tell(settings, f"ended silence {name}")


@click.command(epilog=examples("puppylog monitor alerts silences -o json"))
@click.option("--all", "with_ended", is_flag=True, help="Also show silences that have ended.")
@output_options
@store_options
@pass_settings
def silences(settings: Settings, *, with_ended: bool) -> None:
    """List the silences that hold messages back, and those that will."""
    with connect(settings.store) as store:
        known = store.list_silences()
    now = settings.clock()
    rows = [{**_row(one), "state": find_silence_state(one, now)} for one in known]
    shown: Sequence[dict[str, object]] = [row for row in rows if with_ended or row["state"] != "ended"]
    if not shown:
        tell(settings, "no silence holds messages back")
    write_rows(shown, _LISTED, settings, _LAYOUT)


def _row(silence: Silence) -> dict[str, object]:
    return {name: getattr(silence, name) for name in _LISTED.names if name != "state"}


@click.command(epilog=examples("puppylog monitor alerts ack errors --segment web-1 --comment 'looking into it'"))
@click.argument("alert", metavar="NAME", shell_complete=complete_alerts)
@click.option("--segment", metavar="SEGMENT", help="Only this segment. Default: all that fire.")
@_author_option
@_comment_option
@store_options
@pass_settings
def ack(settings: Settings, *, alert: str, segment: str | None, author: str | None, comment: str) -> None:
    """Say that a person knows that an alert fires: it is not repeated until its state changes."""
    with connect(settings.store) as store:
        get_alert(store, alert)
        count = store.acknowledge(alert, segment, author or _user_name(), comment)
    if not count:
        thing = f"alert {alert!r}" if segment is None else f"segment {segment!r} of alert {alert!r}"
        raise NotFound("acknowledge", thing, "it does not fire")
    tell(settings, f"acknowledged {alert}" if count == 1 else f"acknowledged {count} segments of {alert}")
