-- Reading the database to find out whether it can be read.

-- name: tables
-- All tables with their rows, the small ones first.
SELECT format('"{}"."{}"', schema_name, table_name) AS name
FROM duckdb_tables()
WHERE NOT internal AND NOT temporary
ORDER BY estimated_size, name

-- name: last_row
SELECT max(rowid) FROM {table}

-- name: read_rows
-- Every column of some rows. The hashes are of no interest: a hash can only be computed of what has been read.
SELECT count(*) AS rows, bit_xor(hash(COLUMNS(*))) FROM {table} WHERE rowid >= $start AND rowid < $end

-- name: count_rows
SELECT count(*) FROM {table}
