"""Expands a query as Grafana does before it sends the query: variables and intervals first, then macros.

It follows Grafana's own order, because the order matters: the value of a variable is already in the text when macros
are looked for, so a value may not look like one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ALL = "$__all"

_VARIABLE = re.compile(r"\$\{(\w+):(\w+)\}")
_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_INTERVAL = re.compile(r"(\d+)(ms|s|m|h|d)")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class MacroError(Exception):
    """Grafana would refuse the query, and show this message instead of the panel."""


@dataclass(frozen=True, slots=True)
class Variable:
    """The choice of a variable: a list of values, or ALL, which inserts ``all_value`` unquoted."""

    chosen: Sequence[str]
    all_value: str

    def as_sql(self) -> str:
        if self.chosen == [ALL]:
            return self.all_value
        return ",".join(quote(value) for value in self.chosen)


@dataclass(frozen=True, slots=True)
class Look:
    """The state of a dashboard: the range of time, the interval between points, and the choice of each variable."""

    since: datetime
    until: datetime
    interval: str
    variables: Mapping[str, Variable]
    has_timescaledb: bool = False  # whether the data source says so

    @property
    def interval_s(self) -> float:
        return parse_interval_s(self.interval)

    def expand(self, query: str) -> str:
        """Return the SQL that reaches the server.

        Raises:
            MacroError: the query has a macro that there is not, or one with wrong arguments.
        """
        sql = _VARIABLE.sub(self._replace_variable, query)
        for name, value in (
            ("$__interval_ms", f"{self.interval_s * 1000:.0f}"),
            ("$__interval", self.interval),
            ("$__unixEpochFrom()", f"{_epoch_s(self.since)}"),
            ("$__unixEpochTo()", f"{_epoch_s(self.until)}"),
        ):
            sql = sql.replace(name, value)
        return _MACRO.sub(lambda match: self._replace_macro(match, sql), sql)

    def _replace_variable(self, match: re.Match[str]) -> str:
        name, form = match.groups()
        if form != "sqlstring" or name not in self.variables:
            raise MacroError(f"unknown variable {match[0]}")
        return self.variables[name].as_sql()

    def _replace_macro(self, match: re.Match[str], sql: str) -> str:
        name = match[1]
        if name == "__timeGroup" and sql[match.end() : match.end() + 1] == ",":
            name = "__timeGroupAlias"  # as queries of old expect it
        return self._macro(name, [argument.strip(" ") for argument in match[2].split(",")])

    def _macro(self, name: str, arguments: Sequence[str]) -> str:
        column = arguments[0]
        since, until = _rfc3339(self.since), _rfc3339(self.until)
        simple = {
            "__time": f'{column} AS "time"',
            "__timeEpoch": f'extract(epoch from {column}) as "time"',
            "__timeFilter": f"{column} BETWEEN '{since}' AND '{until}'",
            "__timeFrom": f"'{since}'",
            "__timeTo": f"'{until}'",
            "__unixEpochFilter": f"{column} >= {_epoch_s(self.since)} AND {column} <= {_epoch_s(self.until)}",
        }
        if name in simple:
            return simple[name]
        if name.removesuffix("Alias") not in ("__timeGroup", "__unixEpochGroup"):
            raise MacroError(f"unknown macro {name!r}")
        grouped = self._group(name, arguments)
        return f'{grouped} AS "time"' if name.endswith("Alias") else grouped

    def _group(self, name: str, arguments: Sequence[str]) -> str:
        if len(arguments) < 2:
            raise MacroError(f"macro {name} needs time column and interval and optional fill value")
        width_s = parse_interval_s(arguments[1].strip("'"))
        if len(arguments) == 3 and not re.fullmatch(r"NULL|previous|-?\d+(\.\d+)?", arguments[2]):
            raise MacroError(f"error parsing fill value {arguments[2]}")
        if name.startswith("__unixEpoch"):
            return f"floor(({arguments[0]})/{width_s:g})*{width_s:g}"
        if self.has_timescaledb:
            return f"time_bucket('{width_s:.3f}s',{arguments[0]})"
        return f"floor(extract(epoch from {arguments[0]})/{width_s:g})*{width_s:g}"


def quote(value: str) -> str:
    """Write a value as Grafana's ``sqlstring`` does: a double quote gets a backslash, which makes it another value."""
    return "'" + value.replace("'", "''").replace('"', '\\"') + "'"


def parse_interval_s(text: str) -> float:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise MacroError(f"error parsing interval {text}")
    return int(match[1]) * _UNITS_S[match[2]]


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _epoch_s(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
