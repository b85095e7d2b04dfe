"""The definitions of a store as a configuration file. Applied to the same store, the file changes nothing."""

import json
from collections.abc import Iterator, Sequence

from puppylog.config.definition_set import Definition, DefinitionSet
from puppylog.config.toml_writer import write_table
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
    # Each table is written by itself: tomli_w would write an array of short tables on one line.
    parts = [
        f"[[{title}]]\n{tomli_w.dumps(write_table(entry))}" for title, entries in tables.items() for entry in entries
    ]
    if definitions.retention is not None:
        parts.append(tomli_w.dumps({"retention": write_table(definitions.retention)}))
    if store:
        parts.insert(0, "".join(f"# {line}\n" for line in _list_comments(definitions, store)))
    return _escape("\n".join(parts))


def _list_comments(definitions: DefinitionSet, store: str) -> Iterator[str]:
    yield f"The definitions of the store {json.dumps(store, ensure_ascii=False)}."
    contacts = sorted({contact for alert in definitions.alerts for contact in alert.contacts})
    if contacts:
        yield f"Contacts are not in a store. The alerts name {', '.join(contacts)}: declare each as [[contact]]."


def _escape(text: str) -> str:
    """Return the file with escapes for characters that a terminal obeys or hides. They are in strings only."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else f"\\U{ord(char):08x}" for char in text)
