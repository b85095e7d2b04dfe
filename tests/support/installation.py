"""The objects that Puppylog has installed in a database, in a form in which two installations can be compared."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import psycopg

Parts: TypeAlias = Mapping[str, Sequence[tuple[object, ...]]]

_OF_DAY: Final = re.compile(r"log_records_(\d{8})")
_OURS = "('puppylog', 'metrics', 'metrics_1m', 'metrics_1h', 'metrics_1d')"

_PARTS = {
    "schemas": f"SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname IN {_OURS}",
    "relations": f"""
        SELECT c.relnamespace::regnamespace::text, c.relname, c.relkind, c.relacl::text, c.reloptions,
               pg_get_expr(c.relpartbound, c.oid)
        FROM pg_class AS c WHERE c.relnamespace::regnamespace::text IN {_OURS} AND c.relkind <> 'i'
    """,
    "columns": f"""
        SELECT c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace::regnamespace::text IN {_OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    """,
    "constraints": f"""
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace::regnamespace::text IN {_OURS}
    """,
    "indexes": f"SELECT schemaname, indexname, indexdef FROM pg_indexes WHERE schemaname IN {_OURS}",
    "routines": f"""
        SELECT oid::regprocedure::text, prosrc, prosecdef, proconfig, proacl::text, provolatile,
               pg_get_function_result(oid)
        FROM pg_proc WHERE pronamespace::regnamespace::text IN {_OURS}
    """,
    "triggers": f"""
        SELECT c.oid::regclass::text, t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace::regnamespace::text IN {_OURS} AND NOT t.tgisinternal
    """,
    "settings": "SELECT flavour, drop_after_s, columnar_after_s FROM puppylog.installation",
    "versions": "SELECT version FROM puppylog.schema_versions",
}
_JOBS = "SELECT proc_schema, proc_name, schedule_interval, config - 'hypertable_id' FROM timescaledb_information.jobs"


@dataclass(frozen=True, eq=False, slots=True)
class Installation:  # noqa: PLW1641 - installations are compared, and never in a set
    """The objects of an installation.

    Two installations are equal if their objects are, apart from the partitions of days that only one of them has: the
    partitions begin at the day on which bootstrap ran, so those of two stores differ if midnight came in between.
    """

    parts: Parts

    @property
    def days(self) -> frozenset[str]:
        """The days that have a partition."""
        return frozenset(day for rows in self.parts.values() for row in rows for day in _OF_DAY.findall(str(row)))

    def without(self, days: frozenset[str]) -> Parts:
        """Return the objects apart from the partitions of ``days``."""
        return {
            name: [row for row in rows if days.isdisjoint(_OF_DAY.findall(str(row)))]
            for name, rows in self.parts.items()
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Installation):
            return NotImplemented
        if self.days.isdisjoint(other.days) and self.days | other.days:
            return False
        different = self.days ^ other.days
        return self.without(different) == other.without(different)


def read_installation(url: str) -> Installation:
    """Return all objects of Puppylog in the database. Equal installations give equal values."""
    with psycopg.connect(url, autocommit=True) as connection:
        parts = dict(_PARTS)
        if connection.execute("SELECT to_regclass('timescaledb_information.jobs')").fetchall() != [(None,)]:
            parts["jobs"] = _JOBS
        rows = {name: sorted(connection.execute(sql.encode()).fetchall(), key=str) for name, sql in parts.items()}
    return Installation(rows)


def is_uninstalled(url: str) -> bool:
    """Return whether the database has none of Puppylog's schemas."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(_PARTS["schemas"].encode()).fetchall() == []
