-- Numbers of commits. With them the engine detects lost commits when it opens the database.

-- name: has_commits
-- Whether the schema of this database numbers its commits.
SELECT count(*) > 0 AS has_commits FROM duckdb_tables() WHERE schema_name = 'puppylog' AND table_name = 'commits'

-- name: last_commit
SELECT number FROM puppylog.commits

-- name: number_commit
-- The number of the current transaction.
UPDATE puppylog.commits SET number = number + 1 RETURNING number
