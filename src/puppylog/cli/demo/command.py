"""``puppylog demo``: see all of it work, and get the proof that nothing was lost."""

import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from puppylog.cli.demo.screen import Screen
from puppylog.cli.demo.stage import Stage
from puppylog.cli.demo.story import Check, Story
from puppylog.cli.options import examples, pass_settings
from puppylog.settings import Settings
from puppylog.tui.table import TableWriter


@click.command(epilog=examples("puppylog demo", "puppylog demo --keep"))
@click.option("--keep", is_flag=True, help="Go on with a little traffic afterwards, until interrupted.")
@pass_settings
@click.pass_context
def demo(ctx: click.Context, settings: Settings, *, keep: bool) -> None:
    """See lines become records, metrics and an alert that fires and recovers.

    A shop that does not exist writes its access log into a temporary directory: garbage, a rush and a rotation
    included. The real commands collect it into a store of its own there, while one of them is killed. At the end, what
    was written is compared with what is stored; exit code 1 says that they do not agree. Takes less than a minute and
    leaves nothing behind.
    """
    width = shutil.get_terminal_size().columns
    screen = Screen(sys.stdout, color=settings.color, width=width)
    with _asked_to_end() as asked, Stage(screen, asked) as stage:
        story = Story(stage, screen)
        checks = story.tell(keep=keep)
        agrees = _show(screen, checks)
        if keep:
            _explain(screen, stage)
            with suppress(KeyboardInterrupt):
                story.go_on()
    if not agrees:
        ctx.exit(1)


def _show(screen: Screen, checks: list[Check]) -> bool:
    screen.say()
    table = TableWriter(sys.stdout, ("", "written", "stored"), right=(False, True, True))
    table.write([(check.what, check.wanted, check.found) for check in checks])
    if all(check.agrees for check in checks):
        screen.say("Everything is there, and nothing twice.", fg="green", bold=True)
        return True
    wrong = ", ".join(check.what.strip() for check in checks if not check.agrees)
    screen.say(f"This does not agree: {wrong}.", fg="red", bold=True)
    return False


def _explain(screen: Screen, stage: Stage) -> None:
    screen.say()
    screen.say("The shop stays open until you press Ctrl-C. In another terminal:", bold=True)
    screen.say(f"  export PUPPYLOG_STORE={stage.url}")
    for command in (
        "monitor alerts observe",
        "monitor metrics get total_traffic --since 5m",
        "logs -f",
        "sql 'select reason, count(*) from rejected_lines group by all'",
    ):
        screen.say(f"  puppylog {command}")
    screen.say(f"or write to {stage.path / 'access.log'} yourself.")


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Give an event that is set by whatever asks us to end: it takes effect between two steps, never within one."""
    asked = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
