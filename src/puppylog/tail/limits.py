"""Default limits of a tailer: block size, length of a line, and how long it waits for files and records."""

CHUNK_BYTES = 4 << 20
"""How many bytes are read at once. Smaller blocks cost more time per line, larger ones only memory."""

MAX_LINE_BYTES = 1 << 20
"""How many bytes of one line are kept. The rest of a longer line is dropped."""

ROTATE_WAIT_S = 5.0
"""How long a rotated file must not grow until it is finished: programs write to it until they open the new file."""

LATE_WAIT_S = 3600.0
"""The same for a file that has grown after it was finished: its program seldom writes, and opens no new file."""

MAX_RECORD_LINES = 1000
MAX_RECORD_BYTES = 256 * 1024
"""The most lines and bytes of a record of several lines; further lines begin another record, as in `formats.rows`."""

RECORD_WAIT_S = 1.0
"""How long the file must not grow until its last record is complete: a stack trace is written nearly at once."""
