"""``puppylog monitor metrics create --default``: the metrics and alerts that fit what a store has records of."""

from dataclasses import replace
from typing import Final

from puppylog.cli.messages import tell
from puppylog.model.defaults import ORIGINAL, Contents, choose_defaults
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.contents import read_contents
from puppylog.settings import Settings
from puppylog.stores.base import Store

FITTING: Final = "fitting"
ORIGINAL_SET: Final = "original"
SETS: Final = (FITTING, ORIGINAL_SET)

_NOTHING: Final = Contents(has_requests=False, has_severities=False, duration=None)


def create_defaults(store: Store, settings: Settings, set_: str, group: str | None) -> None:
    """Create the metrics and alerts of one of SETS, and say so; those that exist already stay as they are."""
    is_empty = False
    if set_ == ORIGINAL_SET:
        chosen = ORIGINAL
    else:
        contents = read_contents(store, dialect_of(store))
        chosen = choose_defaults(contents or _NOTHING)
        is_empty = contents is None
    for metric in chosen.metrics:
        tell_created(settings, f"metric {metric.name}", is_new=store.create_metric(replace(metric, group=group)))
    for alert in chosen.alerts:
        tell_created(settings, f"alert {alert.name}", is_new=store.create_alert(alert))
    if is_empty:
        tell(settings, "the store has no records yet; run this again later for metrics that fit them")


def tell_created(settings: Settings, what: str, *, is_new: bool) -> None:
    """Say that a definition was created, or existed before."""
    tell(settings, f"created {what}" if is_new else f"{what} already exists")
