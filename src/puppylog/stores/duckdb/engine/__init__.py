"""The engine process: it owns the database, writes, answers queries and runs the jobs."""
