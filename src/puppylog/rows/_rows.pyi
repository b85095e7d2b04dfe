from typing import TypeAlias

from typing_extensions import Buffer

# A column: its kind (NAMES in rows.c), the bytes before each value, the offset of its first row, and Arrow's buffers:
# validity, values, texts.
_Column: TypeAlias = tuple[str, Buffer, int, Buffer | None, Buffer | None, Buffer | None]

# Raises ValueError if the buffers do not hold the rows, or a text is not UTF-8; OverflowError for a time outside of the
# years that Python has.
def write(is_csv: bool, rows: int, columns: tuple[_Column, ...], end: Buffer, /) -> bytes: ...
def find_other_json(rows: int, column: _Column, /) -> list[int]: ...
