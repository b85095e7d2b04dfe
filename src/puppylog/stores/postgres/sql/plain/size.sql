-- The size of a table with its indexes, in bytes.
CREATE OR REPLACE FUNCTION puppylog.size_of(name text) RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT pg_total_relation_size(format('puppylog.%I', name)::regclass) $$;
