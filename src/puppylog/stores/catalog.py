"""What every catalogue refuses, in the same words whatever the store."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from puppylog.errors import AlreadyExists, NotFound, UsageError
from puppylog.model.alert import Alert
from puppylog.model.metric import Metric

T = TypeVar("T")


def get_found(found: T | None, what: str, name: str) -> T:
    """Return what was found.

    Raises:
        NotFound: nothing was.
    """
    if found is None:
        raise NotFound("find", f"{what} {name!r}", "there is none of that name")
    return found


def is_same_metric(found: Metric, metric: Metric) -> bool:
    """Return whether the two say the same; how often they are refreshed does not change that."""
    return replace(found, refresh_s=metric.refresh_s) == metric


def refuse_other(definition: Metric | Alert, *, is_same: bool) -> None:
    """Raise AlreadyExists unless what has the name of ``definition`` already is the same."""
    if not is_same:
        what = "metric" if isinstance(definition, Metric) else "alert"
        raise AlreadyExists("create", f"{what} {definition.name!r}", "the name belongs to another definition")


def refuse_deletion(what: str, name: str, users: Sequence[str], use: str) -> None:
    """Raise UsageError while somebody uses it: ``use`` says who and how, as in "metric {} is limited to it"."""
    if users:
        raise UsageError("delete", f"{what} {name!r}", use.format(", ".join(users)))
