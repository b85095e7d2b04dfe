-- PostgreSQL alone has no columns to turn old partitions into.
CREATE OR REPLACE FUNCTION puppylog.turn_columnar() RETURNS void LANGUAGE sql AS $$ SELECT $$;
