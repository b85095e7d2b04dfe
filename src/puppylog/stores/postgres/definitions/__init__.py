"""Groups, metrics and alerts in a PostgreSQL store."""
