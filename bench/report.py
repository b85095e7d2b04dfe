"""The report of figures and their targets: a table for people, JSON for programs that compare runs."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """The limit of a value: either ``at_most`` or ``at_least``."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"

    def is_met_by(self, value: float) -> bool:
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report: the median of some values, the lowest and the highest."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    target: Target | None = None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if self.target.is_met_by(self.value) else "MISSED"


def median_of(name: str, values: Sequence[float], unit: str, target: Target | None = None) -> Figure:
    return Figure(name, statistics.median(values), unit, min(values), max(values), target)


def single(name: str, value: float, unit: str, target: Target | None = None) -> Figure:
    return Figure(name, value, unit, value, value, target)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest of ``values`` that ``percent`` of them do not exceed. There is no interpolation."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of one store."""

    store: str  # "duckdb", "postgresql", "timescaledb"
    about: dict[str, str]
    figures: Sequence[Figure]


def write_json(path: Path, sections: Sequence[Section]) -> None:
    document = {
        "about": {section.store: section.about for section in sections},
        "figures": [
            {"store": section.store, **asdict(figure), "verdict": figure.verdict}
            for section in sections
            for figure in section.figures
        ],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def format_table(about: dict[str, str], figures: Sequence[Figure]) -> str:
    lines = [f"{name}: {value}" for name, value in about.items()]
    rows = [("", "median", "", "from", "to", "target", "")]
    rows += [
        (
            figure.name,
            _number(figure.value),
            figure.unit,
            _number(figure.low) if figure.low != figure.high else "",
            _number(figure.high) if figure.low != figure.high else "",
            str(figure.target or ""),
            figure.verdict,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in (1, 3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
