"""Default limits of a tailer: block size, length of a line, and how long it waits for files and records."""

CHUNK_BYTES = 4 << 20
"""How many bytes are read at once. Smaller blocks cost more time per line, larger ones only memory."""

MAX_LINE_BYTES = 1 << 20
"""How many bytes of one line are kept. The rest of a longer line is dropped."""

ROTATE_WAIT_S = 5.0
"""A rotated file is finished when it has not grown for so long: programs write to it until they open the new file."""

MAX_RECORD_LINES = 1000
MAX_RECORD_BYTES = 256 * 1024
"""A record of several lines that has so many lines or bytes gets no further line. As in `puppylog.formats.rows`."""

RECORD_WAIT_S = 1.0
"""The last record is complete when the file has not grown for so long: a stack trace is written nearly at once."""
