"""From parsed lines to committed rows: streams, claims, positions and the ingest transaction."""
