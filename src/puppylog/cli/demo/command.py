"""``puppylog demo``: watch Puppylog work, and check that no line was lost."""

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
@click.option("--keep", is_flag=True, help="Continue with a little traffic afterwards, until interrupted.")
@pass_settings
@click.pass_context
def demo(ctx: click.Context, settings: Settings, *, keep: bool) -> None:
    """Watch Puppylog work on made-up traffic.

    A web server that does not exist writes its access log into a temporary directory, with garbage, a rush and a
    rotation. Real puppylog commands collect the log into a store in the same directory; one of them is killed
    meanwhile. At the end, the demo compares the lines written with the lines stored, and exits with 1 if they differ.
    It takes less than a minute and leaves no files.
    """
    width = shutil.get_terminal_size().columns
    screen = Screen(sys.stdout, color=settings.color, width=width)
    with _asked_to_end() as asked, Stage(screen, asked) as stage:
        story = Story(stage, screen)
        checks = story.tell(keep=keep)
        agrees = _show(screen, checks)
        if keep:
            _show_commands(screen, stage)
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
    screen.say(f"These numbers differ: {wrong}.", fg="red", bold=True)
    return False


def _show_commands(screen: Screen, stage: Stage) -> None:
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
    """Yield an event that SIGINT, SIGTERM and SIGHUP set. The demo checks the event between its steps."""
    asked = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
