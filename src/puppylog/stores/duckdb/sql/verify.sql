-- Reading the whole database to find damage.

-- name: tables
-- The names of all tables, the small ones first.
SELECT format('"{}"."{}"', schema_name, table_name) AS name
FROM duckdb_tables()
WHERE NOT internal AND NOT temporary
ORDER BY estimated_size, name

-- name: last_row
SELECT max(rowid) FROM {table}

-- name: read_rows
-- Reads every column of some rows. The hash itself is not used, but DuckDB must read all values to compute it.
SELECT count(*) AS rows, bit_xor(hash(COLUMNS(*))) FROM {table} WHERE rowid >= $start AND rowid < $end

-- name: count_rows
SELECT count(*) FROM {table}
