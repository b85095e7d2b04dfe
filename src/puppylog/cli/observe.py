"""``puppylog monitor alerts observe``: a live view on a terminal, a line per change of state in a pipe."""

import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import Final

import click

from puppylog.cli.messages import tell, warn
from puppylog.cli.old_names import OldNamesOption
from puppylog.cli.options import examples, group_option, output_options, pass_settings, store_options
from puppylog.cli.output import terminal_width
from puppylog.cli.surroundings import is_dumb, wants_color
from puppylog.errors import PuppylogError
from puppylog.model.period import format_period, parse_period
from puppylog.monitor.alerts import (
    AlertSnapshot,
    AlertState,
    Transition,
    find_heartbeat,
    list_transitions_after,
    read_alerts,
)
from puppylog.rows.cells import json_object
from puppylog.rows.values import plain
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.tui.alert import (
    draw_alerts,
    draw_summaries,
    explain_stale_states,
    line_for_state,
    line_for_transition,
    sort_by_urgency,
)
from puppylog.tui.clean import clean
from puppylog.tui.live import Line, Live
from puppylog.tui.times import format_time
from puppylog.tui.wrap import wrap

# An engine that this command has started evaluates the alerts within this time; warn only after it.
_GRACE_S: Final = 5.0
_HINT: Final = "no alerts yet; a good start is: puppylog monitor metrics create --default"


@click.command(
    epilog=examples(
        "puppylog monitor alerts observe",
        "puppylog monitor alerts observe --refresh-rate 10 --group shop",
        "puppylog monitor alerts observe -o jsonl | tee -a alerts.jsonl",
    )
)
@click.option(
    "--refresh-rate",
    cls=OldNamesOption,
    old_names=("-rr", "--refresh_rate"),
    default="2s",
    show_default=True,
    help="How often to read the states.",
)
@group_option("Only alerts on metrics that are limited to this log group.")
@output_options
@store_options
@pass_settings
def observe(settings: Settings, refresh_rate: str, group: str | None) -> None:
    """Watch the alerts live.

    On a terminal, a table of all alerts with their states: All good, About to ring, Ringing a bell, Recovered. In a
    pipe, on a dumb terminal, or with -o jsonl, one line per alert at first, and then one line per change.
    """
    every_s = parse_period(refresh_rate, "refresh rate")
    with connect(settings.store) as store:
        if terminal_width() is not None and not is_dumb() and settings.output == "table":
            _observe_on_terminal(store, settings, every_s, group)
        else:
            _observe_in_pipe(store, settings, every_s, group)


def _observe_on_terminal(store: Store, settings: Settings, every_s: int, group: str | None) -> None:
    live = Live(sys.stdout, wants_color(settings), shutil.get_terminal_size)
    snapshot = AlertSnapshot((), 0)
    began = time.monotonic()
    while True:
        try:
            snapshot = read_alerts(store, group=group)
            cause = _explain_stale_states(store, snapshot) if time.monotonic() - began > _GRACE_S else None
        except PuppylogError as error:
            if not error.transient:
                raise
            cause = error.message
        live.show(draw_view(snapshot, settings, every_s, cause))
        time.sleep(every_s)


def _explain_stale_states(store: Store, snapshot: AlertSnapshot) -> str | None:
    return explain_stale_states(find_heartbeat(store), snapshot.states, store.info.flavour) if snapshot.states else None


def draw_view(snapshot: AlertSnapshot, settings: Settings, every_s: int, cause: str | None) -> list[Line]:
    """Return the lines of the live view.

    Args:
        snapshot: the states of the alerts.
        settings: the settings of the command, with the clock.
        every_s: the seconds from one view to the next.
        cause: why the states are out of date; None if they are not.
    """
    now = settings.clock()
    width, height = (terminal_width() or 80) - 1, shutil.get_terminal_size().lines
    zone = f" ({settings.zone_name})" if settings.zone_name else ""
    at = format_time(now, settings.zone, now)
    head = [*map(Line, wrap(f"{at}{zone}, every {format_period(every_s)}, Ctrl-C to quit", width))]
    if cause is not None:
        head += [Line(line, "red") for line in wrap(clean(cause), width)]  # before the alerts, which may not all fit
    if not snapshot.states:
        return [*head, *map(Line, wrap(_HINT, width))]
    states = sort_by_urgency(snapshot.states) if len(snapshot.states) + len(head) + 3 > height else snapshot.states
    table = draw_alerts(states, zone=settings.zone, now=now, width=width)
    summaries = draw_summaries(states, width)
    return [*head, Line(""), *table, *([Line(""), *summaries] if summaries else [])]


def _observe_in_pipe(store: Store, settings: Settings, every_s: int, group: str | None) -> None:
    log = _AlertLog(settings, began=time.monotonic())
    if not log.begin(read_alerts(store, group=group)):
        tell(settings, _HINT)
    while True:
        time.sleep(every_s)
        try:
            log.tell_transitions(list_transitions_after(store, log.last_transition, group=group))
            snapshot = read_alerts(store, group=group)
            log.tell_others(snapshot)
            cause = _explain_stale_states(store, snapshot) if time.monotonic() - log.began > _GRACE_S else None
        except PuppylogError as error:
            if not error.transient:
                raise
            cause = error.message
        log.tell_staleness(cause)


@dataclass(slots=True)
class _AlertLog:
    """Writes a line per alert, then a line per change, and remembers what it has written."""

    settings: Settings
    began: float
    last_transition: int = 0
    _told: dict[str, tuple[str | None, bool]] = field(default_factory=dict)  # by name of the alert
    _is_stale: bool = False

    def begin(self, snapshot: AlertSnapshot) -> bool:
        """Write the states of all alerts. Return whether there are any."""
        self.last_transition = snapshot.last_transition
        for state in snapshot.states:
            self._tell_state(state)
        return bool(snapshot.states)

    def tell_transitions(self, transitions: list[Transition]) -> None:
        for transition in transitions:
            self.last_transition = transition.id
            self._write(line_for_transition(transition, self.settings.zone), _transition_row(transition))

    def tell_others(self, snapshot: AlertSnapshot) -> None:
        """Write the state of each alert that is new, or whose error or overdue state has changed."""
        for state in snapshot.states:
            if self._told.get(state.alert.name) != _tell_of(state):
                self._tell_state(state)

    def tell_staleness(self, cause: str | None) -> None:
        """Warn once when the states become out of date, and say when they are up to date again."""
        if cause is not None and not self._is_stale:
            warn(cause)
            self._is_stale = True
        if cause is None and self._is_stale:
            tell(self.settings, "the alerts are evaluated again")
            self._is_stale = False

    def _tell_state(self, state: AlertState) -> None:
        self._told[state.alert.name] = _tell_of(state)
        self._write(line_for_state(state, self.settings.zone), _state_row(state))

    def _write(self, line: str, row: dict[str, object]) -> None:
        if self.settings.output in ("json", "jsonl"):
            line = json_object(list(row), [plain(value, self.settings.data_zone) for value in row.values()])
        sys.stdout.write(clean(line) + "\n")
        sys.stdout.flush()


def _tell_of(state: AlertState) -> tuple[str | None, bool]:
    """Return why the alert cannot be judged, None if it can, and whether its evaluation is overdue."""
    return state.error, state.is_overdue


def _transition_row(transition: Transition) -> dict[str, object]:
    return {
        "at": transition.evaluated_at,
        "alert": transition.alert,
        "segment": transition.segment,
        "from_state": transition.from_state,
        "to_state": transition.to_state,
        "value": transition.value,
        "comparison": transition.comparison,
        "level": transition.threshold,
        "error": None,
    }


def _state_row(state: AlertState) -> dict[str, object]:
    return {
        "at": state.since or state.evaluated_at,
        "alert": state.alert.name,
        "segment": state.segment,
        "from_state": None,
        "to_state": state.state,
        "value": state.value,
        "comparison": state.alert.comparison,
        "level": state.alert.threshold,
        "error": state.error,
    }
