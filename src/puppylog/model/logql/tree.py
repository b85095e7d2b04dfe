"""The tree of a LogQL query. Each ``at`` is a position in the query's text, in characters from its start."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

MatchOperator: TypeAlias = Literal["=", "!=", "=~", "!~"]
LineOperator: TypeAlias = Literal["|=", "!=", "|~", "!~", "|>", "!>"]
Comparison: TypeAlias = Literal["==", "!=", ">", ">=", "<", "<="]
Unit: TypeAlias = Literal["number", "duration", "bytes"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """A comparison of a label's text. A label that an entry lacks has an empty text."""

    name: str
    operator: MatchOperator
    value: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A comparison of a label's number. Durations are in seconds, sizes in bytes."""

    name: str
    operator: Comparison
    value: float
    unit: Unit
    at: int = 0


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: "tuple[LabelTest, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: "tuple[LabelTest, ...]"


LabelTest: TypeAlias = Matcher | NumberTest | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A filter of lines. With several values, one of them must be found; none of them if the operator is negative."""

    operator: LineOperator
    values: tuple[str, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class LabelFilter:
    test: LabelTest


@dataclass(frozen=True, slots=True)
class Parser:
    """A parser: ``json``, ``logfmt`` or ``unpack``. ``labels`` are the names that it makes, each with its key."""

    kind: Literal["json", "logfmt", "unpack"]
    labels: tuple[tuple[str, str], ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class FieldOf:
    """The part of a template that stands for a label; ``__line__`` and ``__timestamp__`` are the entry's own."""

    name: str


Template: TypeAlias = tuple["str | FieldOf", ...]


@dataclass(frozen=True, slots=True)
class LineFormat:
    template: Template
    written: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """Gives labels new values: of another label, which goes away, or of a template."""

    changes: "tuple[tuple[str, str | Template], ...]"
    written: tuple[str, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Keep:
    """Keeps or drops labels by name. With a matcher, only where the label matches."""

    is_dropped: bool
    labels: tuple[str | Matcher, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Decolorize:
    at: int = 0


Stage: TypeAlias = LineFilter | LabelFilter | Parser | LineFormat | LabelFormat | Keep | Decolorize


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A query for entries: a selector of streams, and the stages that each entry passes."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class Unwrap:
    """The label whose number is aggregated. ``conversion`` says how its text is read."""

    name: str
    conversion: Literal["", "duration", "duration_seconds", "bytes"] = ""
    tests: tuple[LabelTest, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class Grouping:
    names: tuple[str, ...]
    is_without: bool = False


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    """An aggregation of the entries in a time range that ends at each step. ``range_s`` and ``offset_s``: seconds."""

    function: str
    query: LogQuery
    range_s: float
    unwrap: Unwrap | None = None
    offset_s: float = 0.0
    parameter: float | None = None
    grouping: Grouping | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    function: str
    part: "Metric"
    grouping: Grouping | None = None
    parameter: int | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Binary:
    """An operation on two metrics. ``on`` are the labels by which series are matched; None: by all labels."""

    operator: str
    left: "Metric"
    right: "Metric"
    is_bool: bool = False
    matching: Grouping | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Vector:
    """A series without labels that has the same value at every step."""

    value: float


Metric: TypeAlias = RangeAggregation | VectorAggregation | Binary | Number | Vector
Query: TypeAlias = LogQuery | Metric
