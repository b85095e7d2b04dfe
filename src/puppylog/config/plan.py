"""What has to change in a store so that it has the definitions of a file. Pure: nothing here asks a store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from puppylog.config.definition_set import Definition, DefinitionSet, Kind
from puppylog.config.ordering import arrange
from puppylog.config.step import Action, Refusal, Step
from puppylog.model.derived import find_ancestors, is_derived
from puppylog.model.metric import Metric
from puppylog.model.retention import KEEP_ALL, Retention


@dataclass(frozen=True, slots=True)
class Kept:
    """A definition of the store that the file does not have, and that stays."""

    kind: Kind
    name: str
    reason: str = ""  # why --prune does not delete it; empty if it does


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, in an order in which a store accepts them.

    Attributes:
        steps: what has to be done; all of it is foreseen, even if the plan is refused.
        kept: what the file does not have and the plan does not delete.
        refusals: why the plan cannot be carried out; empty if it can.
        unchanged: the number of definitions of the file that the store has already.
    """

    steps: tuple[Step, ...] = ()
    kept: tuple[Kept, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unchanged: int = 0

    @property
    def has_changes(self) -> bool:
        return bool(self.steps or self.refusals)


def make_plan(wanted: DefinitionSet, stored: DefinitionSet, *, prune: bool = False) -> Plan:
    """Return what makes the definitions of a store those of a file.

    What the file does not have stays, unless ``prune`` is set. Groups stay in any case: they belong to the collectors
    of all machines. A metric that the file does not have, but that the file's alerts and derived metrics need, stays.

    Args:
        wanted: the definitions of the file. A derived metric has the period, segments and group of its inputs.
        stored: the definitions of the store.
        prune: whether to delete what the file does not have, and to replace what cannot be updated in place.
    """
    groups = {*wanted.groups, *(metric.group for metric in wanted.metrics if metric.group is not None)}
    wanted = replace(wanted, groups=tuple(sorted(groups)))
    if wanted.retention == KEEP_ALL and stored.retention is None:
        wanted = replace(wanted, retention=None)
    before, after = stored.by_name(), wanted.by_name()
    needs = _find_needs(wanted, stored)
    steps: list[Step] = []
    kept: list[Kept] = []
    for (kind, name), definition in before.items():
        if (kind, name) in after or kind is Kind.GROUP:
            continue
        reason = needs.get(name, "") if kind is Kind.METRIC else ""
        if prune and not reason:
            steps.append(Step(Action.DELETE, kind, name, definition, None, "not in the file"))
        else:
            kept.append(Kept(kind, name, reason))
    unchanged = 0
    for (kind, name), definition in after.items():
        known = before.get((kind, name))
        if known == definition:
            unchanged += kind is not Kind.GROUP
        elif known is None:
            steps.append(
                Step(Action.CREATE, kind, name, None, definition, _describe_change(None, definition, stored.retention))
            )
        else:
            steps.append(
                Step(
                    Action.UPDATE, kind, name, known, definition, _describe_change(known, definition, stored.retention)
                )
            )
    arranged = arrange(steps, wanted, stored, prune=prune)
    return Plan(arranged.steps, tuple(kept), arranged.refusals, unchanged - arranged.replaced_unchanged)


def _find_needs(wanted: DefinitionSet, stored: DefinitionSet) -> Mapping[str, str]:
    """Return the metrics that the definitions of the file need, by name, each with a definition that needs it."""
    metrics = {metric.name: metric for metric in (*stored.metrics, *wanted.metrics)}
    needs: dict[str, str] = {}
    for metric in wanted.metrics:
        for name in find_ancestors(metric.name, metrics):
            needs.setdefault(name, f"metric {metric.name} of the file is derived from it")
    for alert in wanted.alerts:
        needs.setdefault(alert.metric, f"alert {alert.name} of the file judges it")
        for name in find_ancestors(alert.metric, metrics):
            needs.setdefault(name, f"alert {alert.name} of the file judges a metric that is derived from it")
    return needs


def _describe_change(before: Definition | None, after: Definition, retention: Retention | None) -> str:
    """Return the consequence of a creation, or of an update in place; empty if there is none to mention.

    Args:
        before: what the store has of that name.
        after: what the file declares.
        retention: which records the store has kept so far; None for all.
    """
    if isinstance(after, Retention):
        return "" if after.is_empty else "the store drops the records that it does not keep"
    if not isinstance(before, Metric) or not isinstance(after, Metric) or is_derived(after):
        return ""
    if replace(before, refresh_s=after.refresh_s) == after:
        return ""
    lost = "" if retention is None or retention.is_empty else "; those of dropped records are lost"
    return f"its buckets are computed again from the stored records{lost}"
