"""SQL of the conditions and values of LogQL queries."""

from collections.abc import Mapping
from typing import Final, Literal

from puppylog.model.expression import render
from puppylog.model.expression.conversion import render_number
from puppylog.model.expression.line import line_sql
from puppylog.model.expression.term import Dialect
from puppylog.model.logql.conditions import Compared, Condition, Every, Expression, InStreams, Some
from puppylog.model.logql.lexing import SIZES
from puppylog.stores.base import Value
from puppylog.stores.queries import load_queries

QUERIES: Final = load_queries("puppylog.stores", "logql.sql")

_FEW: Final = 100  # streams whose ids stand in the query; the ids of more streams are bound as one text
_FACTORS: Final = "WHEN '' THEN 1 " + " ".join(f"WHEN '{unit}' THEN {factor}" for unit, factor in SIZES.items())
_FRAGMENTS: Final[Mapping[str, Mapping[Dialect, str]]] = {
    "micros": {"duckdb": "micros_duckdb", "postgres": "micros_postgres"},
    "size": {"duckdb": "size_duckdb", "postgres": "size_postgres"},
    "duration": {"duckdb": "duration_duckdb", "postgres": "duration_postgres"},
    "bytes": {"duckdb": "bytes_duckdb", "postgres": "bytes_postgres"},
}
_SIGNS: Final = {"==": "=", "!=": "<>"}

Conversion = Literal["number", "duration", "bytes"]


class Rendering:
    """Renders the conditions of one query, and collects the values that are bound."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.values: dict[str, Value] = {}

    @property
    def line(self) -> str:
        """SQL of the line of a record."""
        return line_sql(self.dialect)

    def condition(self, condition: Condition) -> str:
        """Return the SQL of a condition, which can be an operand of any operator."""
        match condition:
            case Expression(text):
                return f"({render(text, self.dialect)})"
            case InStreams(ids):
                return self._in_streams(ids)
            case Compared(text, unit, operator, value):
                number = self.number(self.text(text), unit)
                return f"({number} {_SIGNS.get(operator, operator)} {_literal(value)})"
            case Every(parts):
                return f"({' AND '.join(map(self.condition, parts))})"
            case Some(parts):
                return f"({' OR '.join(map(self.condition, parts))})"

    def text(self, expression: str) -> str:
        """Return the SQL of an expression of type text."""
        return render(expression, self.dialect)

    def number(self, text: str, unit: Conversion) -> str:
        """Return the SQL of the number in the SQL of a text; null if there is none."""
        if unit == "number":
            return render_number(text, self.dialect)
        return f"({self.fragment(unit, text=text, factors=_FACTORS)})"

    def fragment(self, name: str, **parts: str) -> str:
        """Return the SQL of a fragment that each dialect has, such as ``micros``."""
        return fragment(_FRAGMENTS[name][self.dialect], **parts)

    def _in_streams(self, ids: frozenset[int]) -> str:
        if len(ids) <= _FEW:
            return f"stream_id IN ({', '.join(map(str, sorted(ids)))})"
        name = f"streams_{chr(ord('a') + len(self.values) % 26)}{'x' * (len(self.values) // 26)}"
        self.values[name] = ",".join(map(str, sorted(ids)))
        return fragment("in_streams", ids=f"${name}")


def fragment(name: str, **parts: str) -> str:
    """Return the SQL of a part of a query, without its description."""
    lines = QUERIES[name].splitlines()
    return "\n".join(line for line in lines if not line.startswith("--")).format(**parts)


def _literal(value: float) -> str:
    return f"CAST({value!r} AS DOUBLE PRECISION)"
