"""Checks that a user's SQL only reads, on the syntax tree of DuckDB's own parser, before the SQL runs.

A statement must be a SELECT or an EXPLAIN of a SELECT. A function may change the engine (``enable_logging``), crash it
(``arrow_scan`` takes addresses), read files, or run SQL that is not in the tree (``query``). So only the listed table
functions are allowed; a new one of a later DuckDB is refused until a developer has checked it. Scalar functions have no
side effects, except a few, which are refused by name. A test compares both lists with DuckDB's catalog.

One table cannot be read at all: the hashes of tokens. DuckDB has no rights of users, so the tree must not name the
table, and a function that takes the name of a table as a text must get a literal, not an expression.
"""

import json
import re
from typing import Any, Final, NoReturn

from puppylog.errors import QueryError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MAX_LENGTH: Final = 65_536
"""The largest number of characters. DuckDB limits the depth of an expression, but not the number of UNIONs or CTEs."""

MAX_DEPTH: Final = 200
"""The largest depth of nested parentheses, and the largest number of consecutive signs."""

TABLE_FUNCTIONS: Final = _names(
    """
    duckdb_approx_database_count duckdb_available_metrics duckdb_columns duckdb_connection_count duckdb_constraints
    duckdb_coordinate_systems duckdb_databases duckdb_dependencies duckdb_dialects duckdb_eviction_queues
    duckdb_extensions duckdb_external_file_cache duckdb_functions duckdb_indexes duckdb_keywords duckdb_memory
    duckdb_optimizers duckdb_schemas duckdb_secret_types duckdb_sequences duckdb_settings duckdb_table_sample
    duckdb_tables duckdb_temporary_files duckdb_triggers duckdb_types duckdb_variables duckdb_views
    generate_series histogram histogram_values icu_calendar_names json_each json_tree pg_timezone_names
    pragma_collations pragma_database_size pragma_platform pragma_show pragma_storage_info pragma_table_info
    pragma_user_agent pragma_version query_table range repeat repeat_row summary unnest
    """
)
"""Table functions and macros that a user's SQL may call: they read the catalog or the database, or generate rows."""

NAMING_FUNCTIONS: Final = _names(
    "duckdb_table_sample histogram histogram_values pragma_show pragma_storage_info pragma_table_info query_table"
)
"""Those of TABLE_FUNCTIONS whose first argument names a table."""

HIDDEN_TABLE: Final = "access_tokens"
"""The table of schema ``puppylog`` that a user's SQL cannot read."""

REFUSED_FUNCTIONS: Final = frozenset({"nextval", "setval", "sleep_ms", "write_log"})
"""Scalar functions with side effects: they advance a sequence, block a thread, or write the engine's log."""

HARMLESS_VOLATILES: Final = _names(
    """
    currval current_connection_id current_query current_query_id current_transaction_id error gen_random_uuid random
    setseed stats uuid uuidv4 uuidv7 vector_type
    """
)
"""Functions with side effects by DuckDB's catalog, but none outside their own connection. They are allowed."""

_QUERY_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_PARENTHESIS: Final = re.compile(r"[()]")
_SIGNS: Final = re.compile(rf"(?:[-+~(]\s*){{{MAX_DEPTH + 1}}}")


def refuse_size(sql: str) -> None:
    """Check that DuckDB can parse ``sql`` in little time and memory.

    For 6,000 open parentheses or minus signs its parser needs 10 s and 2 GB until it reports a syntax error.

    Raises:
        QueryError: the SQL is too long or too deeply nested.
    """
    if len(sql) > MAX_LENGTH:
        raise QueryError("run", "this SQL", f"it has {len(sql)} characters; at most {MAX_LENGTH} are allowed")
    bare = _QUOTED.sub(" ", sql)
    depth = deepest = 0
    for sign in _PARENTHESIS.findall(bare):
        depth = depth + 1 if sign == "(" else max(0, depth - 1)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH or _SIGNS.search(bare):
        raise QueryError("run", "this SQL", f"it is nested more than {MAX_DEPTH} deep")


def check_tree(serialized: str) -> None:
    """Check that a SELECT only reads.

    Args:
        serialized: the syntax tree of the statement, as JSON of ``json_serialize_sql``.

    Raises:
        QueryError: it does more; the cause names the function or the kind of statement.
    """
    tree = json.loads(serialized)
    if tree["error"]:
        raise QueryError("run", "this SQL", "only reading is allowed, and this statement cannot be checked")
    waiting: list[Any] = [tree["statements"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            _check_node(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check_node(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _QUERY_NODES:
        raise QueryError("run", "this SQL", f"only reading is allowed, not {kind.split('_')[0]}")
    if kind == "TABLE_FUNCTION":
        _check_table_function(node.get("function"))
    if _is_hidden(node.get("table_name")) and str(node.get("schema_name")).lower() != "metrics":
        _refuse_hidden()
    name = str(node.get("function_name", "")).lower()
    if name in REFUSED_FUNCTIONS:
        raise QueryError("run", "this SQL", f"only reading is allowed, and function {name} does more")


def _check_table_function(function: object) -> None:
    name = str(function.get("function_name", "")).lower() if isinstance(function, dict) else ""
    if name not in TABLE_FUNCTIONS:
        raise QueryError("run", "this SQL", f"table function {name} is not allowed; it may do more than read")
    if isinstance(function, dict) and name in NAMING_FUNCTIONS:
        _check_named_table(name, function["arguments"])


def _check_named_table(function: str, arguments: list[dict[str, Any]]) -> None:
    """Check that the table which the arguments name is written as a text, and is not the hidden one."""
    for place, argument in enumerate(arguments):
        expression = argument["expression"]
        if (place == 0 or argument["name"]) and not _is_plain(expression):
            cause = f"the table for function {function} must be its name or a text, not an expression"
            raise QueryError("run", "this SQL", cause)
        if _is_hidden(json.dumps(expression)):
            _refuse_hidden()


def _is_plain(expression: dict[str, Any]) -> bool:
    """Return whether an expression is a constant, a name, or a list of constants."""
    if expression["class"] == "FUNCTION" and expression["function_name"] == "list_value":
        return all(argument["expression"]["class"] == "CONSTANT" for argument in expression["arguments"])
    return expression["class"] in {"CONSTANT", "COLUMN_REF"}


def _is_hidden(text: object) -> bool:
    return isinstance(text, str) and HIDDEN_TABLE in text.lower()


def _refuse_hidden() -> NoReturn:
    raise QueryError("read", f"puppylog.{HIDDEN_TABLE}", "it has the hashes of tokens", "run puppylog tokens list")
