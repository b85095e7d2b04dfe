"""The order of the steps of a plan: each step is tried on a model of the store, which has the store's rules.

The first step that the model accepts is the next one. Where it accepts none, a definition stands against the change of
another one: an alert that judges each segment of a metric whose segments change, or a derived metric whose inputs get
another period. Such a definition is deleted, and created again after the change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from puppylog.config.definition_set import DefinitionSet, Kind
from puppylog.config.step import Action, Refusal, Step
from puppylog.errors import ExpressionError
from puppylog.model.alert import Alert, find_fault
from puppylog.model.derived import define_derived, find_ancestors, is_derived, list_inputs
from puppylog.model.metric import Metric
from puppylog.model.obstacle import find_metric_obstacle, keeps_states

Key: TypeAlias = tuple[Kind, str]

_KINDS = tuple(Kind)  # a definition needs only definitions of kinds before its own


@dataclass(frozen=True, slots=True)
class Arranged:
    """Steps in an order in which a store accepts them.

    Attributes:
        steps: all of them; those that a store would refuse come last.
        refusals: why a store would refuse some of the steps, or why they need --prune.
        replaced_unchanged: the number of definitions that are replaced although the file and the store agree on them.
    """

    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    replaced_unchanged: int


@dataclass(frozen=True, slots=True)
class _Block:
    """Why a step cannot be the next one."""

    cause: str = ""  # empty: it waits for another step
    culprit: Key | None = None  # the definition that stands against the step


def arrange(steps: Sequence[Step], wanted: DefinitionSet, stored: DefinitionSet, *, prune: bool) -> Arranged:
    """Return the steps in an order in which a store accepts them, with those that replacements add.

    Args:
        steps: the differences between ``wanted`` and ``stored``, in any order, each definition once.
        wanted: what the file declares.
        stored: what the store has.
        prune: whether a replacement may delete an alert's states and history.
    """
    model = _Model(wanted, stored, steps)
    model.run()
    blocked = [(step, model.find_block(step) or _Block()) for step in model.pending]
    refusals = [_refuse(step, block, wanted, prune=prune) for step, block in blocked if block.cause]
    if blocked and not refusals:
        step = blocked[0][0]
        refusals.append(Refusal(step.kind, step.name, "the changes of the file wait for each other"))
    if not prune:
        refusals += [
            Refusal(kind, name, f"{reason}, and its history would be deleted; allow it with --prune", needs_prune=True)
            for (kind, name), reason in model.replaced.items()
            if kind is Kind.ALERT
        ]
    unchanged = [key for key in model.replaced if stored.by_name()[key] == wanted.by_name()[key]]
    return Arranged((*model.done, *model.pending), tuple(refusals), len(unchanged))


def _refuse(step: Step, block: _Block, wanted: DefinitionSet, *, prune: bool) -> Refusal:
    advice, is_foreign = "", block.culprit is not None and block.culprit not in wanted.by_name()
    if is_foreign:
        advice = "; the file does not have it: add it" + ("" if prune else ", or delete it with --prune")
    return Refusal(step.kind, step.name, f"{block.cause}{advice}", needs_prune=is_foreign and not prune)


class _Model:
    """The definitions of the store after the steps that are done.

    Attributes:
        pending: the steps that are left, in the order in which they are tried.
        done: the steps that are done, in their order.
        replaced: the definitions that are replaced, each with the reason.
    """

    def __init__(self, wanted: DefinitionSet, stored: DefinitionSet, steps: Sequence[Step]) -> None:
        self.pending = list(steps)
        self.done: list[Step] = []
        self.replaced: dict[Key, str] = {}
        self._before, self._after = stored.by_name(), wanted.by_name()
        self._metrics = {metric.name: metric for metric in stored.metrics}
        self._alerts = {alert.name: alert for alert in stored.alerts}
        self._wanted_metrics = {metric.name: metric for metric in (*stored.metrics, *wanted.metrics)}
        self._depths = {name: len(find_ancestors(name, self._wanted_metrics)) for name in self._wanted_metrics}
        self._sort()

    def run(self) -> None:
        """Do the pending steps; those that cannot be done stay pending."""
        while self._do_ready() or self._clear_all() or self._clear_one():
            pass

    def _do_ready(self) -> bool:
        """Do each step that the store accepts; return whether there was any."""
        count = len(self.done)
        for step in tuple(self.pending):
            if self.find_block(step) is None:
                self._do(step)
        return len(self.done) > count

    def _sort(self) -> None:
        """Sort the pending steps: deletions from alerts down to metrics, then the others from groups up to alerts."""

        def rank(step: Step) -> tuple[int, int, str]:
            depth = self._depths[step.name] if step.kind is Kind.METRIC else 0
            rank = _KINDS.index(step.kind) * (len(self._depths) + 1) + depth
            return (0, -rank, step.name) if step.action is Action.DELETE else (1, rank, step.name)

        self.pending.sort(key=rank)
        self._pending_keys = {step.key for step in self.pending}

    def _do(self, step: Step) -> None:
        self.pending.remove(step)
        self.done.append(step)
        if not any(other.key == step.key for other in self.pending if step.key in self.replaced):
            self._pending_keys.discard(step.key)
        match step.kind, step.after if step.action is not Action.DELETE else None:
            case Kind.METRIC, None:
                del self._metrics[step.name]
            case Kind.METRIC, Metric() as metric:
                self._metrics[step.name] = metric
            case Kind.ALERT, None:
                del self._alerts[step.name]
            case Kind.ALERT, Alert() as alert:
                self._alerts[step.name] = alert

    # --- what the store accepts

    def find_block(self, step: Step) -> _Block | None:
        """Return why the store would refuse the step now, or why it must wait; None if it can be the next one."""
        match step.kind, step.after if step.action is not Action.DELETE else None:
            case Kind.METRIC, None:
                return self._block_deletion(step.name)
            case Kind.METRIC, Metric() as metric:
                return self._block_metric(step.action, metric)
            case Kind.ALERT, Alert() as alert:
                return self._block_alert(step.action, alert)
        return None

    def _block_deletion(self, name: str) -> _Block | None:
        for alert in self._alerts.values():
            if alert.metric == name:
                return _Block(f"alert {alert.name} judges it", (Kind.ALERT, alert.name))
        for other in self._metrics.values():
            if name in list_inputs(other):
                return _Block(f"metric {other.name} is derived from it", (Kind.METRIC, other.name))
        return None

    def _block_metric(self, action: Action, metric: Metric) -> _Block | None:
        before = self._metrics.get(metric.name)
        if action is Action.CREATE and before is not None:
            return _Block()  # waits for its deletion
        if is_derived(metric) and (block := self._block_derived(metric)) is not None:
            return block
        if before is None:
            return None
        obstacle = find_metric_obstacle(before, metric, self._alerts.values(), self._metrics)
        return None if obstacle is None else _Block(obstacle.cause, (Kind(obstacle.kind), obstacle.name))

    def _block_derived(self, metric: Metric) -> _Block | None:
        if any(self._is_pending(Kind.METRIC, name) for name in list_inputs(metric)):
            return _Block()
        try:
            derived = define_derived(metric.name, metric.property, self._metrics)
        except ExpressionError as error:
            return _Block(error.cause)
        return None if derived == metric else _Block("the store would derive another metric from its inputs")

    def _block_alert(self, action: Action, alert: Alert) -> _Block | None:
        before = self._alerts.get(alert.name)
        if action is Action.CREATE and before is not None:
            return _Block()  # waits for its deletion
        if before is not None and not keeps_states(before, alert):
            now = f"judges metric {alert.metric} now"
            if before.metric == alert.metric:
                now = f"judges {'each segment by itself' if alert.each_segment else 'all segments together'} now"
            return _Block(f"it {now}", (Kind.ALERT, alert.name))
        metric = self._metrics.get(alert.metric)
        fault = f"there is no metric {alert.metric!r}" if metric is None else find_fault(alert, metric)
        if self._is_pending(Kind.METRIC, alert.metric) and (before is None or fault is not None):
            return _Block()  # a new alert might stand against the update of its metric
        return None if fault is None else _Block(fault)

    def _is_pending(self, kind: Kind, name: str) -> bool:
        return (kind, name) in self._pending_keys

    # --- what stands against a step

    def _clear_all(self) -> bool:
        """Remove what stands against a step for sure; return whether there was anything.

        An alert that keeps its metric is updated before the metric, which the store accepts: its new rule fits the new
        metric. Other alerts, and metrics that are derived from the step's metric in the file, too, are replaced.
        """
        blocked = [(step, block.culprit) for step in self.pending if (block := self.find_block(step)) is not None]
        count = 0
        for step, culprit in blocked:
            if culprit is None or not self._can_replace(culprit):
                continue
            kind, name = culprit
            if kind is Kind.ALERT and (update := self._find_update(culprit, step)) is not None:
                self._do(update)
            elif kind is Kind.ALERT or step.name in find_ancestors(name, self._wanted_metrics):
                self._replace(culprit, step)
            else:
                continue
            count += 1
        self._sort()
        return count > 0

    def _clear_one(self) -> bool:
        """Replace the first definition that stands against a step; return whether there is one."""
        for step in self.pending:
            block = self.find_block(step)
            if block is not None and block.culprit is not None and self._can_replace(block.culprit):
                self._replace(block.culprit, step)
                self._sort()
                return True
        return False

    def _can_replace(self, key: Key) -> bool:
        return key in self._after and key not in self.replaced

    def _find_update(self, key: Key, step: Step) -> Step | None:
        """Return the pending update of an alert that keeps its states, unless it is ``step``."""
        before, after = self._before.get(key), self._after[key]
        if not isinstance(before, Alert) or not isinstance(after, Alert) or not keeps_states(before, after):
            return None
        return next((other for other in self.pending if other.key == key and other is not step), None)

    def _replace(self, key: Key, step: Step) -> None:
        """Turn the update of a definition, if there is one, into its deletion and its creation."""
        kind, name = key
        block = self.find_block(step)
        reason = block.cause if block is not None and key == step.key else f"metric {step.name} changes"
        before, after = self._before[key], self._after[key]
        note = f"{reason}; its history is deleted" if kind is Kind.ALERT else reason
        self.replaced[key] = reason
        self._undo_update(key)
        self.pending = [other for other in self.pending if other.key != key]
        self.pending.append(Step(Action.DELETE, kind, name, before, after, note))
        self.pending.append(Step(Action.CREATE, kind, name, before, after))

    def _undo_update(self, key: Key) -> None:
        """Remove the update of a definition that is replaced, unless a metric was changed after it."""
        for number, step in enumerate(self.done):
            if step.key == key and all(later.kind is not Kind.METRIC for later in self.done[number:]):
                del self.done[number]
                return
