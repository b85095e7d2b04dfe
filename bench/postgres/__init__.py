"""The same figures on a PostgreSQL server, compared with a floor: a COPY by psql."""
