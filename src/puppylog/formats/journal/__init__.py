"""Entries of systemd's journal: the export format as JSON lines, and JSON lines as rows."""
