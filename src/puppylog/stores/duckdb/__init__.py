"""The embedded store: one engine process owns the database, clients reach it over a Unix socket."""
