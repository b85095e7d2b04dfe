"""The differences between stores. Each is declared here, and a test refers to it by name. There are no others."""

from dataclasses import dataclass
from typing import Literal

DUCKDB = "duckdb"
POSTGRESQL = "postgresql"
TIMESCALEDB = "timescaledb"
TIMESCALEDB_DISTRIBUTED = "timescaledb_distributed"
CITUS = "citus"

REMOTE_DUCKDB = "remote duckdb"
REMOTE_POSTGRESQL = "remote postgresql"

REMOTE = {REMOTE_DUCKDB: DUCKDB, REMOTE_POSTGRESQL: POSTGRESQL}
"""The stores behind a server, and the stores behind the server."""

ON_POSTGRES = frozenset({POSTGRESQL, TIMESCALEDB, TIMESCALEDB_DISTRIBUTED, CITUS, REMOTE_POSTGRESQL})
STORES = frozenset({DUCKDB, REMOTE_DUCKDB, *ON_POSTGRES})


@dataclass(frozen=True, slots=True)
class Difference:
    """A behaviour of some stores that differs from the embedded store's."""

    stores: frozenset[str]
    kind: Literal["server limit", "spelling", "wording", "dialect", "consistency"]
    reason: str
    expected: str
    """The behaviour of these stores. If it is an error, a part of its message."""


NUL_IN_TEXT = Difference(
    stores=ON_POSTGRES,
    kind="server limit",
    reason="PostgreSQL's text holds any character but NUL",
    expected="the store refuses it: ",  # the line is kept as a rejected line, with this reason
)

JSON_SPELLING = Difference(
    stores=ON_POSTGRES,
    kind="spelling",
    reason="jsonb keeps what an object says, not how it was written: keys in its own order, one blank after colons",
    expected='{"a": [1, 2.50], "bb": "ü"}',
)

ENUM_LITERAL = Difference(
    stores=ON_POSTGRES,
    kind="dialect",
    reason="PostgreSQL has enumerations by name only, and a user who reads cannot make one",
    expected='type "enum" does not exist',
)

WRONG_TYPE = Difference(
    stores=ON_POSTGRES,
    kind="wording",
    reason="an expression gets types while it is rendered for PostgreSQL, so it is refused before the server sees it",
    expected="text is needed here, but this is bigint (at column 8: status_code)",
)

NO_ARCHIVE = Difference(
    stores=ON_POSTGRES,
    kind="server limit",
    reason="a database cannot write files of columns into a directory of the client",
    expected="only the embedded store writes an archive",
)

NO_GROUP_AGE = Difference(
    stores=frozenset({CITUS, TIMESCALEDB_DISTRIBUTED}),
    kind="server limit",
    reason="old records are columnar or compressed on the nodes, where they cannot be deleted one by one",
    expected="cannot keep records of a group for another time",
)

DROPS_LATER = Difference(
    stores=ON_POSTGRES,
    kind="consistency",
    reason="a server's jobs drop records every few minutes, and the embedded store's engine before it stores a batch",
    expected="puppylog.drop_excess()",
)

NO_SAMPLE = Difference(
    stores=ON_POSTGRES,
    kind="server limit",
    reason="a server needs as long to find out how many records a range has as to count their values",
    expected="all records are counted",
)

DIFFERENCES = {
    "NUL_IN_TEXT": NUL_IN_TEXT,
    "JSON_SPELLING": JSON_SPELLING,
    "ENUM_LITERAL": ENUM_LITERAL,
    "WRONG_TYPE": WRONG_TYPE,
    "NO_ARCHIVE": NO_ARCHIVE,
    "NO_GROUP_AGE": NO_GROUP_AGE,
    "DROPS_LATER": DROPS_LATER,
    "NO_SAMPLE": NO_SAMPLE,
}
