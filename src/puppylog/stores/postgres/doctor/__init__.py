"""The doctor's checks of a PostgreSQL store and its server."""
