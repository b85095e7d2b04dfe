"""The logs of PostgreSQL: lines with a ``log_line_prefix``, and csvlog."""
