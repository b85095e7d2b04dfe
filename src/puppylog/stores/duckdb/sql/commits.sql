-- Commits are numbered, so that a database that has lost some is noticed when it is opened.

-- name: has_commits
-- Whether the schema of this database numbers its commits.
SELECT count(*) > 0 AS has_commits FROM duckdb_tables() WHERE schema_name = 'puppylog' AND table_name = 'commits'

-- name: last_commit
SELECT number FROM puppylog.commits

-- name: number_commit
-- The number of the transaction that asks.
UPDATE puppylog.commits SET number = number + 1 RETURNING number
