-- The size of a table with its indexes on all nodes, in bytes.
CREATE OR REPLACE FUNCTION puppylog.size_of(name text) RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT citus_total_relation_size(format('puppylog.%I', name)::regclass) $$;
