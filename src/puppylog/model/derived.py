"""Derived metrics: a formula over metrics of one period, such as ``errors / total``.

Observations are joined by bucket and segment. The inputs with segments must have the same segment expression; an input
without segments is joined to every segment of the bucket. There is no observation where an input has none, or where the
formula divides by zero.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from puppylog.errors import ExpressionError
from puppylog.model.metric import Metric
from puppylog.model.period import format_period

DERIVED: Final = "derived"
"""The statistic of a derived metric. Its property is the formula."""


def is_derived(metric: Metric) -> bool:
    return metric.statistic == DERIVED


def list_inputs(metric: Metric) -> tuple[str, ...]:
    """Return the names of the metrics that a derived metric is computed from; of any other metric, none.

    A property that is not a formula, which only a change by hand can have written, has no inputs.
    """
    return _read_inputs(metric.property) if is_derived(metric) else ()


@lru_cache(maxsize=4096)
def _read_inputs(formula: str) -> tuple[str, ...]:
    """Return the names in a formula. A plan of many metrics asks for those of the same formula again and again."""
    from puppylog.model.formula import parse_formula  # noqa: PLC0415 - few metrics are derived, and it takes 3 ms of CPU

    try:
        return parse_formula(formula).inputs
    except ExpressionError:
        return ()


def define_derived(name: str, text: str, known: Mapping[str, Metric]) -> Metric:
    """Return the metric that a formula defines. Period, segments and group are those of its inputs.

    Args:
        name: of the new metric.
        text: the formula.
        known: the metrics of the store by name.

    Raises:
        ExpressionError: the text is not a formula, or its metrics do not exist or cannot be combined. The error says
            where.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - a metric that is read needs neither of these

    from puppylog.model.formula import parse_formula, refuse  # noqa: PLC0415 - as above

    formula = parse_formula(text)
    inputs: list[Metric] = []
    for input_name in formula.inputs:
        at = formula.input_offsets[input_name]
        if name in {input_name, *find_ancestors(input_name, known)}:
            refuse(text, at, f"metric {name!r} would be derived from itself")
        if input_name not in known:
            nearest = get_close_matches(input_name, known, n=1, cutoff=0.5)
            hint = f"; the nearest is {nearest[0]}" if nearest else ""
            refuse(text, at, f"there is no metric {input_name!r}{hint}", "see 'puppylog monitor metrics list'")
        inputs.append(known[input_name])
        _check_together(inputs, text, at)
    groups = {metric.group for metric in inputs}
    return Metric(
        name,
        DERIVED,
        formula.text,
        inputs[0].period_s,
        segment=next((metric.segment for metric in inputs if metric.segment is not None), None),
        refresh_s=max(metric.refresh_s for metric in inputs),
        group=groups.pop() if len(groups) == 1 else None,
    )


def order_by_depth(metrics: Mapping[str, Metric]) -> list[Metric]:
    """Return the derived metrics, each after those that it is derived from."""
    depths = {name: len(_list_ancestors(name, metrics)) for name, metric in metrics.items() if is_derived(metric)}
    return [metrics[name] for name in sorted(depths, key=lambda name: (depths[name], name))]


def find_ancestors(name: str, metrics: Mapping[str, Metric]) -> frozenset[str]:
    """Return the names of all metrics that a metric is derived from, directly or not."""
    return frozenset(_list_ancestors(name, metrics))


def _list_ancestors(name: str, metrics: Mapping[str, Metric]) -> list[str]:
    """Return each metric that ``name`` is derived from, once, in the order in which they are found."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        metric = metrics.get(waiting.pop())
        for input_name in () if metric is None else list_inputs(metric):
            if input_name not in found:
                found[input_name] = None
                waiting.append(input_name)
    return list(found)


def _check_together(inputs: list[Metric], text: str, at: int) -> None:
    """Refuse the last input if its period or its segments do not fit to those before it."""
    from puppylog.model.formula import refuse  # noqa: PLC0415 - as above

    first, last = inputs[0], inputs[-1]
    if last.period_s != first.period_s:
        cause = (
            f"the period of {first.name} is {format_period(first.period_s)}, and that of {last.name} "
            f"{format_period(last.period_s)}"
        )
        refuse(text, at, cause, "a formula takes metrics of one period")
    segmented = next(metric for metric in inputs if metric.segment is not None or metric is last)
    if last.segment is not None and last.segment != segmented.segment:
        cause = f"{segmented.name} has segments by {segmented.segment}, and {last.name} by {last.segment}"
        refuse(text, at, cause, "a formula takes metrics with the same segments, and metrics without")
