"""``puppylog monitor alerts notifications | retry``: what was sent to whom, and what could not be sent."""

import functools
import sys
from typing import Final

import click

from puppylog.cli.complete import complete_alerts
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, limit_option, output_options, pass_settings, store_options
from puppylog.cli.output import write_table
from puppylog.cli.tables import Layout
from puppylog.cli.truncation import tell_truncated
from puppylog.model.notification import NotificationState, Outcome
from puppylog.monitor.notifications import (
    NotificationFilter,
    check_retry,
    count_notifications,
    explain_waits,
    read_notifications,
)
from puppylog.settings import Settings
from puppylog.stores.connect import connect

_LAYOUT: Final = Layout(
    expendable=("tried_at", "due_at", "attempts", "created_at", "sent_at", "segment", "error", "id"),
    wrapped=("error",),
    headings={"created_at": "at", "due_at": "due", "tried_at": "tried", "sent_at": "sent", "error": "why not"},
    shown={"kind": lambda kind: kind.replace("_", " ")},
)


@click.command(
    epilog=examples(
        "puppylog monitor alerts notifications --state dead", "puppylog monitor alerts notifications errors -o json"
    )
)
@click.argument("alert", metavar="[NAME]", required=False, shell_complete=complete_alerts)
@click.option("--state", type=click.Choice([state.value for state in NotificationState]), help="Only those in a state.")
@click.option("--contact", metavar="NAME", help="Only those for this contact.")
@limit_option("of the newest notifications", 100)
@output_options
@store_options
@pass_settings
def notifications(settings: Settings, *, alert: str | None, state: str | None, contact: str | None, limit: int) -> None:
    """Show what was sent, and what was not and why.

    A notification waits until its time, while a silence holds it, or while its contact fails; it is tried for 3 days
    and then dead. It is dropped if there is nothing left to say.
    """
    wanted = NotificationFilter(state, alert, contact)
    with connect(settings.store) as store:
        rows = explain_waits(store, read_notifications(store, wanted, notifications=limit))
        if not rows.num_rows and limit:
            tell(settings, "there is no such notification")
        write_table(rows, settings, _LAYOUT)
        sys.stdout.flush()
        count = functools.partial(count_notifications, store, wanted)
        tell_truncated(settings, "notifications", shown=rows.num_rows, limit=limit, count=count)


@click.command(epilog=examples("puppylog monitor alerts retry 17 18"))
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=int)
@store_options
@pass_settings
def retry(settings: Settings, ids: tuple[int, ...]) -> None:
    """Send notifications that are dead.

    'alerts notifications --state dead' lists them with their numbers. Only the newest notification about an alert's
    segment can be sent again. An older one is no longer true.
    """
    with connect(settings.store) as store:
        for number in ids:
            check_retry(store, number)
        now = settings.clock()
        store.settle([Outcome(number, NotificationState.WAITING, now, attempts=0, due_at=now) for number in ids])
    some = "notification waits" if len(ids) == 1 else "notifications wait"
    tell(settings, f"{len(ids)} {some} for a process that knows the contact, such as puppylog up")
