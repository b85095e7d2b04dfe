"""Changes the definitions of a store to those of the file, step by step, each step in its own transaction.

Another process may apply the same file at the same time. A step that it has done already is not an error.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from puppylog.config.definition_set import DefinedStore, DefinitionSet, Kind, read_definitions
from puppylog.config.plan import Plan, make_plan
from puppylog.config.silences import leave_out_silences
from puppylog.config.step import Action, Step
from puppylog.config.values import Configuration
from puppylog.errors import ConfigurationError, NotFound, PuppylogError, UsageError
from puppylog.model.alert import Alert
from puppylog.model.metric import Metric
from puppylog.model.retention import KEEP_ALL, Retention
from puppylog.model.silence import Silence
from puppylog.settings import utc_now

# So many plans are made, if other processes change the same definitions at the same time.
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Applied:
    """How far a plan was carried out.

    Attributes:
        done: the steps that were done.
        left: the steps that were not; the first of them failed.
        error: why it failed; None if all steps were done.
    """

    done: tuple[Step, ...]
    left: tuple[Step, ...] = ()
    error: PuppylogError | None = None

    def describe(self) -> str:
        """Return a sentence on what a plan that failed has left undone."""
        count = len(self.done) + len(self.left)
        undone = ", ".join(f"{step.action} {step.subject}" for step in self.left)
        return f"{len(self.done)} of {count} changes are made; not made: {undone}; apply it again to make them"


def plan_configuration(
    store: DefinedStore,
    configuration: Configuration,
    *,
    prune: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Plan:
    """Return what has to change in a store so that it has what a configuration declares. See `make_plan`.

    Raises:
        ConfigurationError: an alert or a derived metric of the configuration does not fit the metrics of the store.
    """
    stored = read_definitions(store)
    wanted, stored = leave_out_silences(declare(configuration, stored), stored, clock())
    return make_plan(wanted, stored, prune=prune)


def declare(configuration: Configuration, stored: DefinitionSet) -> DefinitionSet:
    """Return the definitions of a configuration. They may use metrics that only the store has.

    Raises:
        ConfigurationError: an alert or a derived metric does not fit these metrics.
    """
    known = {metric.name: metric for metric in stored.metrics}
    metrics = configuration.define_metrics(known)
    known |= {metric.name: metric for metric in metrics}
    alerts = configuration.define_alerts(known)
    return DefinitionSet((), metrics, alerts, configuration.silences, configuration.retention)


def apply_configuration(
    store: DefinedStore,
    configuration: Configuration,
    *,
    prune: bool = False,
    show: Callable[[Plan], None] | None = None,
    report: Callable[[Step], None] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Applied:
    """Plan what a store lacks of a configuration, and carry the plan out.

    If a step fails because another process has changed the same definitions, a new plan is made.

    Args:
        store: the store.
        configuration: what the files declare.
        prune: see `make_plan`.
        show: called with each plan before it is carried out.
        report: called with each step after it is done.
        clock: returns the current time.

    Raises:
        ConfigurationError: the plan cannot be carried out, and nothing was changed.
    """
    plan = plan_configuration(store, configuration, prune=prune, clock=clock)
    for _ in range(_ATTEMPTS):
        if show is not None:
            show(plan)
        applied = apply(store, plan, report, clock)
        if not isinstance(applied.error, UsageError):
            break
        plan = plan_configuration(store, configuration, prune=prune, clock=clock)
        if plan.steps == applied.left:  # no other process is the reason
            break
    return applied


def check(plan: Plan) -> None:
    """Raise an error if a plan cannot be carried out.

    Raises:
        ConfigurationError: a change is refused; the message has its cause, and the number of the other refusals.
    """
    if not plan.refusals:
        return
    more = len(plan.refusals) - 1
    advice = f"and {more} more {'change is' if more == 1 else 'changes are'} refused" if more else ""
    raise ConfigurationError("apply", "the configuration", plan.refusals[0].sentence, advice)


def apply(
    store: DefinedStore,
    plan: Plan,
    report: Callable[[Step], None] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Applied:
    """Carry out a plan, up to the first step that fails. To continue, make a new plan and apply it.

    Args:
        store: the store that the plan was made for.
        plan: the plan.
        report: called with each step after it is done.
        clock: returns the current time.

    Raises:
        ConfigurationError: the plan cannot be carried out; nothing was changed.
    """
    check(plan)
    for number, step in enumerate(plan.steps):
        try:
            do_step(store, step, clock)
        except PuppylogError as error:
            return Applied(plan.steps[:number], plan.steps[number:], error)
        if report is not None:
            report(step)
    return Applied(plan.steps)


def do_step(store: DefinedStore, step: Step, clock: Callable[[], datetime] = utc_now) -> None:
    """Make one change in a store."""
    match step.action, step.after:
        case Action.DELETE, _:
            with suppress(NotFound):  # another process has deleted it
                _delete(store, step, clock)
        case Action.CREATE, str() as group:
            store.create_group(group)
        case Action.CREATE, Metric() as metric:
            store.create_metric(metric)
        case Action.UPDATE, Metric() as metric:
            store.update_metric(metric)
        case Action.CREATE, Alert() as alert:
            store.create_alert(alert)
        case Action.UPDATE, Alert() as alert:
            store.update_alert(alert)
        case _, Silence() as silence:
            store.set_silence(silence)
        case _, Retention() as retention:
            store.set_retention(retention)


def _delete(store: DefinedStore, step: Step, clock: Callable[[], datetime]) -> None:
    match step.kind:
        case Kind.METRIC:
            store.delete_metric(step.name)
        case Kind.ALERT:
            store.delete_alert(step.name)
        case Kind.SILENCE:
            store.end_silence(step.name, clock())
        case Kind.RETENTION:
            store.set_retention(KEEP_ALL)
