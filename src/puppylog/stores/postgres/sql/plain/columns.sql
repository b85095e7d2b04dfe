-- PostgreSQL without extensions has no columnar partitions.
CREATE OR REPLACE FUNCTION puppylog.turn_columnar() RETURNS void LANGUAGE sql AS $$ SELECT $$;
