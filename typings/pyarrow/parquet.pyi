from io import RawIOBase
from typing import IO

from pyarrow import Schema, Table

class ParquetWriter:
    def __init__(
        self,
        where: IO[bytes] | RawIOBase | str,
        schema: Schema,
        *,
        compression: str = "snappy",
        use_dictionary: bool | list[str] = True,
        column_encoding: str | dict[str, str] | None = None,
    ) -> None: ...
    def write_table(self, table: Table, row_group_size: int | None = None) -> None: ...
    def close(self) -> None: ...

def read_table(source: IO[bytes] | str) -> Table: ...

class ParquetFile:
    def __init__(self, source: IO[bytes] | str) -> None: ...
    @property
    def num_row_groups(self) -> int: ...
