"""The definitions of a store as a configuration file. Applied to the same store, the file changes nothing."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from puppylog.config.definition_set import Definition, DefinitionSet
from puppylog.config.notation import write_table
from puppylog.model.derived import is_derived, order_by_depth


def export(definitions: DefinitionSet, store: str = "") -> str:
    """Return a configuration file with the definitions.

    Args:
        definitions: what a store has. Groups are not declared in a file, but named by its metrics.
        store: the store's URL without a password, for a comment; empty for no comments.
    """
    import tomli_w  # noqa: PLC0415 - only this function writes TOML

    metrics = [metric for metric in definitions.metrics if not is_derived(metric)]
    metrics += order_by_depth({metric.name: metric for metric in definitions.metrics})
    silences = [silence for silence in definitions.silences if silence.is_declared]
    tables: dict[str, Sequence[Definition]] = {"metric": metrics, "alert": definitions.alerts, "silence": silences}
    document: dict[str, Any] = {title: list(map(write_table, entries)) for title, entries in tables.items() if entries}
    if definitions.retention is not None:
        document["retention"] = write_table(definitions.retention)
    text = tomli_w.dumps(document)
    head = "".join(f"# {line}\n" for line in _list_comments(definitions, store)) if store else ""
    return _escape(f"{head}\n{text}" if head and text else head + text)


def _list_comments(definitions: DefinitionSet, store: str) -> Iterator[str]:
    yield f"The definitions of the store {json.dumps(store, ensure_ascii=False)}."
    contacts = sorted({contact for alert in definitions.alerts for contact in alert.contacts})
    if contacts:
        yield f"No store has contacts. The alerts name {', '.join(contacts)}: declare each of them as [[contact]]."


def _escape(text: str) -> str:
    """Return the file with escapes for characters that a terminal obeys or hides. They are in strings only."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else f"\\U{ord(char):08x}" for char in text)
