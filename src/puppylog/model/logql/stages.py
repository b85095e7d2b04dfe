"""What the stages of a query do to the labels and the line of one entry that has passed the filters."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from puppylog.model.logql.label_comparison import holds
from puppylog.model.logql.template import LINE, TIMESTAMP
from puppylog.model.logql.tree import (
    Decolorize,
    FieldOf,
    Keep,
    LabelFormat,
    LineFormat,
    Parser,
    Stage,
    Template,
)

_NOTHING: Final[Mapping[str, str]] = {}
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*[mGKHF]")


def shape_entry(
    stages: Sequence[Stage],
    labels: Mapping[str, str],
    line: str,
    ts_ns: int,
    hidden: Mapping[str, str] = _NOTHING,
) -> tuple[dict[str, str], str]:
    """Return the labels and the line of an entry after all stages.

    Args:
        stages: of the query. Its filters are not looked at.
        labels: of the stream and of the record.
        hidden: labels that a stage can use, but that are in no answer unless ``keep`` names them.
        line: the line of the record.
        ts_ns: the time of the record in nanoseconds since the epoch.
    """
    shaped = {**hidden, **labels}
    named: set[str] = set()
    for stage in stages:
        match stage:
            case LineFormat(template):
                line = fill(template, shaped, line, ts_ns)
            case Decolorize():
                line = _COLOURS.sub("", line)
            case LabelFormat(changes):
                for name, change in changes:
                    value = shaped.pop(change, "") if isinstance(change, str) else fill(change, shaped, line, ts_ns)
                    shaped[name] = value
            case Parser(_, extracted):
                for name, key in extracted:
                    shaped[name] = shaped.get(re.sub(r"\W", "_", key), "")
            case Keep():
                shaped = _keep(stage, shaped)
                if not stage.is_dropped:
                    named |= {label if isinstance(label, str) else label.name for label in stage.labels}
    unnamed = {name for name, value in hidden.items() if shaped.get(name) == value} - named
    return {name: value for name, value in shaped.items() if value and name not in unnamed}, line


def fill(template: Template, labels: Mapping[str, str], line: str, ts_ns: int) -> str:
    """Return the text of a template."""
    return "".join(part if isinstance(part, str) else _field(part, labels, line, ts_ns) for part in template)


def _field(field: FieldOf, labels: Mapping[str, str], line: str, ts_ns: int) -> str:
    if field.name == LINE:
        return line
    if field.name == TIMESTAMP:
        return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return labels.get(field.name, "")


def _keep(stage: Keep, labels: Mapping[str, str]) -> dict[str, str]:
    named = {label for label in stage.labels if isinstance(label, str)}
    named |= {label.name for label in stage.labels if not isinstance(label, str) and holds(label, labels)}
    return {name: value for name, value in labels.items() if (name in named) is not stage.is_dropped}
