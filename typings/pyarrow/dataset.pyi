from collections.abc import Sequence

from pyarrow import Schema

class Dataset: ...

def dataset(source: Sequence[str], schema: Schema, format: str) -> Dataset: ...  # noqa: A002 - Arrow's own name
