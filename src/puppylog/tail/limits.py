"""How much is read at once and kept of a line, and how long files and records are waited for."""

CHUNK_BYTES = 4 << 20
"""How much is read at once. Smaller chunks cost more per line, larger ones only memory."""

MAX_LINE_BYTES = 1 << 20
"""What is kept of one line."""

ROTATE_WAIT_S = 5.0
"""How long a rotated file must not have grown: programs write into it until they are told to open the new one."""

RECORD_WAIT_S = 2.0
"""How long a file must not have grown before its last record is whole. A stack trace is written nearly at once."""
