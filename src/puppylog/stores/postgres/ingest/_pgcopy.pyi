from typing import TypeAlias

from typing_extensions import Buffer

# A column: PostgreSQL's name of its type, the offset of its first row, and Arrow's buffers (validity, values, texts).
_Column: TypeAlias = tuple[str, int, Buffer | None, Buffer | None, Buffer | None]

def encode(rows: int, fields: tuple[bytes | _Column, ...], /) -> bytes: ...
