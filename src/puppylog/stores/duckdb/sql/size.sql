-- The size of the store.

-- name: used_bytes
-- The blocks in use. The file also has blocks that are free, and is never smaller than it was.
SELECT used_blocks * block_size AS used_bytes FROM pragma_database_size()
