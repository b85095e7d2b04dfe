"""The options that define a metric, and the metric that they mean: a new one, or one that is changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

import click

from puppylog.cli.old_names import OldNamesOption
from puppylog.cli.options import group_option
from puppylog.cli.queries import read_filter, translate_for
from puppylog.errors import UsageError
from puppylog.model.expression import find_names, parse_segment, parse_value
from puppylog.model.metric import STATISTICS, Metric, is_name, needs_number, parse_property, parse_statistic
from puppylog.model.period import parse_period
from puppylog.model.record import ALIASES
from puppylog.monitor.attributes import find_attributes
from puppylog.monitor.condition import WrittenQuery, dialect_of
from puppylog.settings import Settings
from puppylog.stores.base import Store

Parts: TypeAlias = Mapping[str, Any]
"""The parts of a definition that were given, by the names of `Metric`'s fields. Conditions and properties may still be
texts that only the store's attributes give a meaning."""

MIN_REFRESH_S: Final = 10
REMOVABLE: Final = frozenset({"segment", "filter_", "group"})
"""The options that a metric need not have."""


def definition_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options that define a metric. An option that is not given is None."""
    options = (
        click.option(
            "-s",
            "--stat",
            help=f"The statistic: {', '.join(STATISTICS)}, or pNN. rate is the count per second; ratio is the share of "
            "records that match --of, from 0 to 1. Default: count.",
        ),
        click.option(
            "--of", metavar="SQL|QUERY", help="Of a ratio: the records whose share it is, such as status_code>=500."
        ),
        click.option(
            "-p",
            "--prop",
            help="The property: * (whole records), a column, an attribute, or an expression such as "
            "'duration_ms / 1000'. Default: *.",
        ),
        click.option(
            "--period",
            cls=OldNamesOption,
            old_names=("-pr",),
            help="The length of a bucket: 60 (seconds), 10s, 5m, 1h. Default: 1m.",
        ),
        click.option(
            "--refresh-rate",
            cls=OldNamesOption,
            old_names=("-rr", "--refresh_rate"),
            help="How often new records are materialized. Default: the period, at least 10s.",
        ),
        click.option(
            "--segment",
            cls=OldNamesOption,
            old_names=("-seg", "--segment_expression"),
            metavar="SQL",
            help="Keep one series per value of this expression, such as split_part(request_route, '/', 2).",
        ),
        click.option(
            "--filter",
            "filter_",
            metavar="SQL|QUERY",
            help="Only records that match: SQL such as status_code >= 500, or a query such as severity>=warning.",
        ),
        click.option(
            "--from",
            "formula",
            metavar="FORMULA",
            help="Derive the metric from metrics of one period: arithmetic over their names, such as "
            "'errors / total * 100'.",
        ),
        group_option("Only records of this log group."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_parts(**written: str | None) -> Parts:
    """Return the parts of a definition that the values of `definition_options` give.

    Raises:
        UsageError: a value cannot be read.
        ExpressionError: a segment or a condition is wrong.
    """
    readers: dict[str, tuple[str, Callable[[str], object]]] = {
        "stat": ("statistic", parse_statistic),
        "of": ("of", lambda text: read_filter(text, "--of")),
        "prop": ("property", str),
        "period": ("period_s", parse_period),
        "refresh_rate": ("refresh_s", lambda text: parse_period(text, "refresh rate")),
        "segment": ("segment", parse_segment),
        "filter_": ("filter", read_filter),
        "group": ("group", str),
    }
    given = {option: text for option, text in written.items() if text is not None}
    return {part: read(given[option]) for option, (part, read) in readers.items() if option in given}


def define_metric(store: Store, settings: Settings, before: Metric, parts: Parts, verb: str) -> Metric:
    """Return a metric with these parts; the others are those of ``before``.

    Args:
        store: knows the attributes of its records.
        settings: the settings of the command.
        before: the metric that is changed, or what a new metric is by default.
        parts: as of `read_parts`.
        verb: "create" or "update", for errors.

    Raises:
        UsageError: the parts contradict each other.
        ExpressionError: the property is not an expression of the right type.
        SearchError: a query has an unknown field.
    """
    statistic = parts.get("statistic", before.statistic)
    of = _translate(store, parts["of"], settings) if "of" in parts else before.of
    if statistic != "ratio" and "of" not in parts:
        of = None
    if (statistic == "ratio") is not (of is not None):
        cause = "a ratio needs the records whose share it is" if of is None else f"{statistic} takes no --of"
        advice = "give them with --of, such as --of 'status_code>=500'" if of is None else "ask for --stat ratio"
        raise UsageError(verb, f"metric {before.name!r}", cause, advice)
    property_ = before.property
    if "property" in parts or statistic != before.statistic:
        property_ = read_property(store, parts.get("property", before.property), statistic)
    period_s = parts.get("period_s", before.period_s)
    default_refresh_s = max(period_s, MIN_REFRESH_S) if "period_s" in parts else before.refresh_s
    return replace(
        before,
        statistic=statistic,
        property=property_,
        of=of,
        period_s=period_s,
        refresh_s=parts.get("refresh_s", default_refresh_s),
        segment=parts.get("segment", before.segment),
        filter=_translate(store, parts["filter"], settings) if "filter" in parts else before.filter,
        group=parts.get("group", before.group),
    )


def read_property(store: Store, text: str, statistic: str) -> str:
    """Return the property that ``text`` means: a name, or the canonical text of an expression.

    A name that is not a column is an attribute that the store knows.

    Raises:
        UsageError: the statistic cannot be taken of the property.
        ExpressionError: the text is neither a name nor an expression of the right type.
    """
    name = ALIASES.get(text.strip(), text.strip())
    if is_name(name) or statistic == "ratio":
        return parse_property(text, statistic)
    names = find_names(text)
    attributes = find_attributes(store, names, dialect_of(store)) if names else {}
    if name in attributes and is_name(f"attributes.{name}") and "." not in name:
        return f"attributes.{name}"
    return parse_value(text, is_number=needs_number(statistic), attributes=attributes)


def _translate(store: Store, condition: str | WrittenQuery | None, settings: Settings) -> str | None:
    """Return the canonical text of a condition that `read_filter` has read."""
    if isinstance(condition, WrittenQuery):
        return translate_for(store, condition, settings, is_kept=True)
    return condition
