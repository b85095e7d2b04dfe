from typing_extensions import Buffer

# Returns the lines of a request in protobuf, in pairs of a source and lines, a pair for each scope. Returns a severity,
# number and text, that `severities` does not have. Returns None if the request is damaged, or has something that is
# rare and is left to Python; so it does if a limit is exceeded.
def write_lines(
    body: Buffer, severities: bytes, max_records: int, max_bytes: int, /
) -> list[tuple[bytes, bytes]] | tuple[int, bytes] | None: ...
