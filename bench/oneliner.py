"""The one-liner: one SQL statement of DuckDB that loads the log into a table, without Puppylog.

It runs in a process of its own. It fails at the first line that does not fit the format.
"""

import json
import sys
from pathlib import Path
from typing import Final

import duckdb

from bench.processes import Stopwatch

_WORDS = ("host", "ident", "ruser", "day", "zone", "request", "status", "bytes", "referer", "agent")
_COLUMNS = ", ".join(f"'{word}': 'VARCHAR'" for word in _WORDS)

STATEMENT: Final = f"""
CREATE TABLE log_records AS
SELECT strptime(day || ' ' || zone, '[%d/%b/%Y:%H:%M:%S %z]') AS ts, host, ident, ruser,
       split_part(request, ' ', 1) AS request_method, split_part(request, ' ', 2) AS request_route,
       split_part(request, ' ', 3) AS request_proto, status::SMALLINT AS status_code,
       nullif(bytes, '-')::BIGINT AS response_bytes, referer, agent AS user_agent
FROM read_csv(?, delim = ' ', quote = '"', escape = '\\', header = false, columns = {{{_COLUMNS}}})
"""


def main() -> None:
    """Run as ``python -m bench.oneliner LOG DATABASE``; print rows, seconds and the file's size as JSON."""
    log, database = map(Path, sys.argv[1:3])
    watch = Stopwatch()
    with duckdb.connect(str(database)) as connection:
        connection.execute(STATEMENT, [str(log)])
    taken = watch.read()
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute("SELECT count(ts) FROM log_records").fetchone()
    rows = found[0] if found else 0
    sys.stdout.write(json.dumps({"rows": rows, **taken, "disk_bytes": database.stat().st_size}))


if __name__ == "__main__":
    main()
