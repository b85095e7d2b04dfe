"""The rows of an answer: as Arrow, as pandas or Polars, as Python values, or batch by batch."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, TypeAlias

import pyarrow as pa

from puppylog.errors import UsageError

OpenBatches: TypeAlias = Callable[[], AbstractContextManager[Iterator[pa.RecordBatch]]]
"""Runs a query, and gives its batches, at least one."""


class Answer:
    """The rows of one question. The store is asked when the rows are read.

    ``for batch in answer`` reads the rows batch by batch, so that an answer of any size needs little memory. Every
    other method reads all rows once and keeps them.
    """

    def __init__(self, open_batches: OpenBatches) -> None:
        self._open = open_batches
        self._table: pa.Table | None = None

    @property
    def arrow(self) -> pa.Table:
        """All rows, as `to_arrow` returns them."""
        return self.to_arrow()

    def to_arrow(self) -> pa.Table:
        """Return all rows as a ``pyarrow.Table``. Instants are in UTC.

        Raises:
            QueryError: the store refuses the SQL, or the query takes too long.
            StoreUnavailable: the store does not answer.
        """
        if self._table is None:
            with self._open() as batches:
                self._table = pa.Table.from_batches(list(batches))
        return self._table

    def to_pandas(self) -> Any:  # noqa: ANN401 - a pandas.DataFrame, which Puppylog does not depend on
        """Return all rows as a ``pandas.DataFrame``.

        Raises:
            UsageError: pandas is not installed. Otherwise as `to_arrow`.
        """
        _require("pandas")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:  # noqa: ANN401 - a polars.DataFrame, which Puppylog does not depend on
        """Return all rows as a ``polars.DataFrame``.

        Raises:
            UsageError: Polars is not installed. Otherwise as `to_arrow`.
        """
        return _require("polars").from_arrow(self.to_arrow())

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return all rows as dictionaries. Raises as `to_arrow` does."""
        return self.to_arrow().to_pylist()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches, without keeping them: another iteration asks the store again."""
        if self._table is not None:
            yield from self._table.to_batches()
            return
        with self._open() as batches:
            yield from batches

    def __len__(self) -> int:
        """Return the number of rows. Raises as `to_arrow` does."""
        return self.to_arrow().num_rows

    def __repr__(self) -> str:
        if self._table is None:
            return "<Answer, not read yet>"
        return f"<Answer of {self._table.num_rows:,} rows: {', '.join(self._table.column_names)}>"


def _require(package: str) -> Any:  # noqa: ANN401 - a module that may be missing
    try:
        return import_module(package)
    except ImportError as error:
        raise UsageError(
            "convert", f"the rows to {package}", f"{package} is not installed", f"pip install {package}"
        ) from error
