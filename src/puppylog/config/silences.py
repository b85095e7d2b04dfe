"""Which silences of a file and of a store a plan compares."""

from dataclasses import replace
from datetime import datetime

from puppylog.config.definition_set import DefinitionSet


def leave_out_ended(definitions: DefinitionSet, now: datetime) -> DefinitionSet:
    """Return the definitions without the silences that have ended."""
    return replace(definitions, silences=tuple(silence for silence in definitions.silences if silence.ends_at > now))


def leave_out_silences(
    wanted: DefinitionSet, stored: DefinitionSet, now: datetime
) -> tuple[DefinitionSet, DefinitionSet]:
    """Return both without the silences that no plan has to change.

    A silence that has ended is history: the store deletes it after some time, and the file may still have it. A silence
    that was set by a command is left alone, unless the file has one of the same name.

    Args:
        wanted: the definitions of the file.
        stored: the definitions of the store.
        now: the present time.
    """
    in_file = {silence.name: silence for silence in wanted.silences}
    in_store = {silence.name: silence for silence in stored.silences}
    over = {
        name
        for name in in_file.keys() | in_store.keys()
        if all(name not in silences or silences[name].ends_at <= now for silences in (in_file, in_store))
    }
    foreign = {name for name, silence in in_store.items() if not silence.is_declared} - in_file.keys()

    def leave_out(definitions: DefinitionSet) -> DefinitionSet:
        left = (silence for silence in definitions.silences if silence.name not in over | foreign)
        return replace(definitions, silences=tuple(left))

    return leave_out(wanted), leave_out(stored)
