"""What runs in a collector or a monitor: it asks the engine process. Never imports DuckDB."""
