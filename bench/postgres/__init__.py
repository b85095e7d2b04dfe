"""The same promises on a PostgreSQL server, against the floor of a raw COPY by psql."""
