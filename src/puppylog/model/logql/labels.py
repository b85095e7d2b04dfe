"""What the names of labels mean.

A stream has the labels in `STREAM_LABELS`. All other labels are of single records: ``level``, the columns, and the
attributes. A name in Loki has letters, digits and underscores only, so ``service.name`` is ``service_name``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from puppylog.model.expression.attribute import KEY, attribute_text
from puppylog.model.logql.template import LINE, TIMESTAMP
from puppylog.model.logql.tree import Keep, LabelFormat, Parser, Stage, Template
from puppylog.model.record import ALIASES, COLUMNS, NUMERIC_COLUMNS
from puppylog.model.severity import SEVERITIES

FILENAME: Final = "filename"
GROUP: Final = "group"
HOSTNAME: Final = "hostname"
SERVICE: Final = "service_name"
STREAM_LABELS: Final = (FILENAME, GROUP, HOSTNAME, SERVICE)
"""The labels of every stream, in the order in which they are shown. A stream may have more labels of its own."""

LEVEL: Final = "level"
DETECTED_LEVEL: Final = "detected_level"
UNKNOWN_LEVEL: Final = "unknown"

_EXTRACTED: Final = "_extracted"
_HIDDEN: Final = frozenset({"ts", "attributes"})
_COLUMNS: Final = {**{name: name for name in sorted(COLUMNS - _HIDDEN)}, **ALIASES, "msg": "message"}
_LEVEL_NAMES: Final = {"notice": "info", "warning": "warn", "alert": "critical", "emergency": "critical"}
LEVELS: Final[Mapping[str, str]] = {
    spelling: _LEVEL_NAMES.get(severity.name, severity.name)
    for severity in SEVERITIES
    for spelling in severity.spellings
}
"""The level that Loki and Grafana know, for every spelling of a severity."""


@dataclass(frozen=True, slots=True)
class OfRecord:
    """A value that is computed from a record's columns: an expression of type text, null if the label is missing."""

    text: str
    number: str = ""  # the same as an expression of type number, if the column is one


@dataclass(frozen=True, slots=True)
class OfStream:
    """A label of the record's stream."""

    name: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same text for all records; empty for a label that no record has."""

    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts and labels, one after another."""

    parts: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A label that can be shown, but not used by later stages."""

    cause: str


Value: TypeAlias = OfRecord | OfStream | Fixed | Joined | Unusable

MISSING: Final = Fixed("")


def clean_name(name: str) -> str:
    """Return the name of a label for an attribute.

    >>> clean_name("http.status-code"), clean_name("2xx")
    ('http_status_code', '_2xx')
    """
    cleaned = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"_{cleaned}" if cleaned[:1].isdigit() else cleaned


def name_attribute(name: str) -> str:
    """Return the label of an attribute; with a suffix if a column or a stream has a label of that name."""
    label = clean_name(name)
    return f"{label}{_EXTRACTED}" if is_known(label) else label


def is_known(name: str) -> bool:
    """Return whether a label is of the stream or of a column, or is ``level``, so that no attribute need be asked."""
    return name in STREAM_LABELS or name in _COLUMNS or name in {LEVEL, DETECTED_LEVEL} or name.startswith("__")


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels at one point of a query's stages.

    Attributes:
        attributes: the names of the store's attributes by their labels, see `group_attributes`.
        changed: the labels that a stage has changed.
        own: the labels that users and containers have given to streams.
        aliases: the columns that hold what other labels name, such as ``status_code`` for ``status``.
        kept: the labels that ``keep`` has left; None for all.
        has_all: whether a parser precedes: columns and attributes are labels of the entry.
        line: the template of the line; None for the line itself.
    """

    attributes: Mapping[str, tuple[str, ...]]
    changed: Mapping[str, Value]
    kept: frozenset[str] | None = None
    has_all: bool = False
    line: Value | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    def find(self, name: str) -> Value:
        """Return what the label ``name`` stands for."""
        if name in self.changed:
            return self.changed[name]
        if self.kept is not None and name not in self.kept:
            return MISSING
        return self._find_original(name)

    def _find_original(self, name: str) -> Value:
        if name in STREAM_LABELS or name in self.own:
            return OfStream(name)
        if name in {LEVEL, DETECTED_LEVEL}:
            return OfRecord(LEVEL_TEXT)
        if name.startswith("__"):
            return MISSING  # no line fails to be parsed here, so there is no __error__
        return _column(_COLUMNS[name]) if name in _COLUMNS else self._find_attribute(name)

    def _find_attribute(self, name: str) -> OfRecord:
        base = name.removesuffix(_EXTRACTED)
        label = base if base != name and is_known(base) else name
        attribute = _attribute(self.attributes.get(label, (label,)))
        if label not in self.aliases:
            return attribute
        return OfRecord(f"COALESCE({attribute.text}, {_column(self.aliases[label]).text})")

    def after(self, stage: Stage) -> "Labels":
        """Return the labels after a stage."""
        match stage:
            case Parser(_, extracted):
                made = {name: _attribute((key,)) for name, key in extracted}
                kept = None if self.kept is None or not extracted else self.kept | made.keys()
                return replace(self, changed={**self.changed, **made}, kept=kept, has_all=self.has_all or not extracted)
            case LabelFormat(changes):
                return self._formatted(changes)
            case Keep():
                return self._kept(stage)
        return self

    def _formatted(self, changes: "Iterable[tuple[str, str | Template]]") -> "Labels":
        changed = dict(self.changed)
        for name, change in changes:
            if isinstance(change, str):
                value = replace(self, changed=changed).find(change)
                changed[change] = MISSING
                changed[name] = value
            else:
                changed[name] = replace(self, changed=changed).fill(change)
        return replace(self, changed=changed)

    def _kept(self, stage: Keep) -> "Labels":
        names = [label for label in stage.labels if isinstance(label, str)]
        conditional = [label.name for label in stage.labels if not isinstance(label, str)]
        unusable = Unusable("a label that is kept or dropped by its value is only shown")
        changed = {**self.changed, **dict.fromkeys(conditional, unusable)}
        if stage.is_dropped:
            return replace(self, changed={**changed, **dict.fromkeys(names, MISSING)})
        left = frozenset([*names, *conditional])
        changed = {name: value for name, value in changed.items() if name in left}
        return replace(self, changed=changed, kept=left if self.kept is None else self.kept & left)

    def fill(self, template: Template) -> Value:
        """Return the value of a template."""
        parts: list[Value] = []
        for part in template:
            if isinstance(part, str):
                parts.append(Fixed(part))
            elif part.name in {LINE, TIMESTAMP}:
                return Unusable(f"{{{{{part.name}}}}} in a template is only shown")
            else:
                parts.append(self.find(part.name))
        unusable = next((part for part in parts if isinstance(part, Unusable)), None)
        return unusable or Joined(tuple(parts))


def make_labels(attributes: Iterable[str], aliases: Mapping[str, str], own: frozenset[str] = frozenset()) -> Labels:
    """Return the labels before any stage.

    Args:
        attributes: the names of attributes that the store has, with dots between the keys of nested objects.
        aliases: as `Labels` has them.
        own: as `Labels` has them.
    """
    return Labels(group_attributes(attributes), {}, aliases=aliases, own=own)


def group_attributes(names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the names of attributes by the labels that they become."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        if all(KEY.fullmatch(key) for key in name.split(".")):
            label = clean_name(name)
            found[label] = (*found.get(label, ()), name)
    return found


def _column(name: str) -> OfRecord:
    return OfRecord(f"CAST({name} AS TEXT)", name) if name in NUMERIC_COLUMNS else OfRecord(name)


def _attribute(names: tuple[str, ...]) -> OfRecord:
    texts = [attribute_text(name) for name in names]
    return OfRecord(texts[0] if len(texts) == 1 else f"COALESCE({', '.join(texts)})")


def _level_text() -> str:
    by_level: dict[str, list[str]] = {}
    for spelling, level in LEVELS.items():
        by_level.setdefault(level, []).append(f"'{spelling}'")
    whens = " ".join(
        f"WHEN LOWER(severity) IN ({', '.join(texts)}) THEN '{level}'" for level, texts in by_level.items()
    )
    return f"CASE {whens} WHEN severity IS NOT NULL THEN '{UNKNOWN_LEVEL}' END"


LEVEL_TEXT: Final = _level_text()
"""The expression of ``level``."""
