"""A plan as people read it, like a diff: what is created, changed and deleted, with the fields that differ."""

import json
from collections.abc import Iterator
from typing import Final

from puppylog.config.plan import Plan
from puppylog.config.step import Action, Step
from puppylog.config.toml_writer import TomlValue, write_fields, write_table
from puppylog.tui.clean import clean
from puppylog.tui.runs import Run, paint, wrap

MARKS: Final = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
"""What a line about a step begins with. A definition that stays has ``=``, and one that is refused ``!``."""

_STYLES: Final = {"+": "32", "~": "33", "-": "31", "!": "1;31", "=": "2"}
_INDENT: Final = 4
_HANGING: Final = 8  # where a line that does not fit continues
_WIDEST: Final = 1_000_000


def draw_plan(plan: Plan, width: int | None, *, color: bool) -> Iterator[str]:
    """Yield the lines of a plan.

    Args:
        plan: the plan.
        width: of the terminal in cells; None if lines may be of any length.
        color: whether lines have escape sequences for colours.
    """
    for step in plan.steps:
        yield from _draw(MARKS[step.action], f"{step.kind} {step.name}", step.note, width, color=color)
        for key, before, after in list_changes(step):
            changed = f"{key} = {after}" if step.before is None else f"{key}: {before or 'none'} -> {after or 'none'}"
            yield from _fold([Run(" " * _INDENT), Run(clean(changed))], width, color=color)
    for kept in plan.kept:
        reason = f"not in the file; stays, because {kept.reason}" if kept.reason else "not in the file; stays"
        yield from _draw("=", f"{kept.kind} {kept.name}", reason, width, color=color)
    for refusal in plan.refusals:
        yield from _draw("!", f"{refusal.kind} {refusal.name}", refusal.cause, width, color=color)


def list_changes(step: Step) -> list[tuple[str, str | None, str | None]]:
    """Return key, old value and new value of each field that a step changes, as the file writes them.

    A value is None if the definition, or the key in the file, does not exist. A deletion changes no field.
    """
    if step.action is Action.DELETE or step.after is None:
        return []
    if step.before is None:
        return [(key, None, _show(value)) for key, value in write_table(step.after).items() if key != "name"]
    before, after = write_fields(step.before), write_fields(step.after)
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return [(key, _show(before.get(key)), _show(after.get(key))) for key in keys]


def describe_plan(plan: Plan) -> str:
    """Return a sentence on how much a plan changes."""
    if not plan.has_changes:
        return "nothing to do: the store has what the file declares"
    counts = {action: sum(step.action is action for step in plan.steps) for action in Action}
    named = [f"{count} to {action}" for action, count in counts.items() if count]
    refused = [f"{len(plan.refusals)} refused"] if plan.refusals else []
    return f"{', '.join([*named, *refused])}; {plan.unchanged} unchanged"


def _show(value: TomlValue) -> str | None:
    match value:
        case None:
            return None
        case str() | bool() | int() | float() | list() | dict():
            return json.dumps(value, ensure_ascii=False)
    return value.isoformat()


def _draw(mark: str, subject: str, note: str, width: int | None, *, color: bool) -> Iterator[str]:
    runs = [Run(f"{mark} {clean(subject.rstrip())}", _STYLES[mark])]
    return _fold([*runs, Run(f"  {clean(note)}")] if note else runs, width, color=color)


def _fold(runs: list[Run], width: int | None, *, color: bool) -> Iterator[str]:
    first, *rest = wrap(runs, width or _WIDEST, (width or _WIDEST) - _HANGING)
    yield paint(first, color=color)
    for line in rest:
        yield " " * _HANGING + paint(line, color=color)
