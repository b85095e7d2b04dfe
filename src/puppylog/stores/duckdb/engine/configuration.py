"""The settings of the database, and the statements that lock them."""

import os

MEMORY_LIMIT_BYTES = 2_000_000_000
"""DuckDB's memory limit. The machine has other work to do than collecting logs; larger queries spill to disk."""

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": max(2, os.cpu_count() or 2),
    "memory_limit": f"{MEMORY_LIMIT_BYTES}B",
    # A thread switches to another query after a part of its work, so that a long query does not delay the writer.
    "scheduler_process_partial": "true",
    # Rows of a batch may be written by several threads at once. Every query that needs an order names it.
    "preserve_insertion_order": "false",
    # A checkpoint compresses the last row group of each table with new rows again, so rarer ones cost less. The default
    # is 16 MB. Replaying a log of this size after a crash takes 0.3 s of CPU.
    "checkpoint_threshold": "64MB",
    # A user's SQL can use no extensions.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # A name in a user's SQL is a table. DuckDB must not look for a Python variable of that name.
    "python_enable_replacements": "false",
}
"""The settings with which the database is opened. The bench uses them for the database that it compares with, too."""

# After this no SQL can change a setting, except the listed ones, and none can read or write files other than the
# store's, or use the network. A user's SQL cannot change a listed setting either: it is one SELECT.
LOCK = """
SET GLOBAL TimeZone = 'UTC';
SET GLOBAL allowed_directories = [{directories}];
SET GLOBAL enable_external_access = false;
SET GLOBAL allowed_configs = ['search_path', 'operator_memory_limit', 'memory_limit'];
SET GLOBAL lock_configuration = true;
"""
