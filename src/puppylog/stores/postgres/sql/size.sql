-- The size of the store.

-- name: used_bytes
-- The files of the database on this server, indexes included.
SELECT pg_database_size(current_database()) AS used_bytes
