"""All that an installation has put into a database, so that two installations can be compared."""

from typing import TypeAlias

import psycopg

Catalog: TypeAlias = dict[str, list[tuple[object, ...]]]

_OURS = "('puppylog', 'metrics')"

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
    "papers": "SELECT flavour, drop_after_s, columnar_after_s FROM puppylog.installation",
    "versions": "SELECT version FROM puppylog.schema_versions",
}
_JOBS = "SELECT proc_schema, proc_name, schedule_interval, config - 'hypertable_id' FROM timescaledb_information.jobs"


def read_catalog(url: str) -> Catalog:
    """Return everything that is ours in the database, of the same installation in the same words."""
    with psycopg.connect(url, autocommit=True) as connection:
        parts = dict(_PARTS)
        if connection.execute("SELECT to_regclass('timescaledb_information.jobs')").fetchall() != [(None,)]:
            parts["jobs"] = _JOBS
        return {name: sorted(connection.execute(sql.encode()).fetchall(), key=str) for name, sql in parts.items()}


def is_untouched(url: str) -> bool:
    """Return whether nothing of ours is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(_PARTS["schemas"].encode()).fetchall() == []
