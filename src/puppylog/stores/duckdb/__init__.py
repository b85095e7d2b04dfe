"""The embedded store: one engine process owns the database, and clients connect to it over a Unix socket."""
