from typing import IO

from pyarrow import Table

class ReadOptions:
    def __init__(self, *, use_threads: bool = True, autogenerate_column_names: bool = False) -> None: ...

class ParseOptions:
    def __init__(
        self, delimiter: str = ",", *, quote_char: str | bool = '"', escape_char: str | bool = False
    ) -> None: ...

def read_csv(
    input_file: IO[bytes] | str, read_options: ReadOptions | None = None, parse_options: ParseOptions | None = None
) -> Table: ...
