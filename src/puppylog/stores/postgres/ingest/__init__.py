"""Storing parsed lines: streams, claims, positions and the ingest transaction."""
