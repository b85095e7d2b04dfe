"""The client part, which runs in a collector or a monitor and calls the engine process. Never imports DuckDB."""
