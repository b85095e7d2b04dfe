from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

import pyarrow as pa
import pytest

from puppylog.monitor.counting.field import has_alike
from puppylog.stores.base import Parameters
from puppylog.stores.cancellation import Cancellation


class _Sampled:
    """A store that says how many records of a sample have different values, by the number of records asked for."""

    def __init__(self, records: int, different: Mapping[int, int]) -> None:
        self._records, self._different = records, different

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        del cancellation
        assert "host" in sql
        assert parameters is not None
        asked = int(str(parameters["records"]))
        return pa.table({"records": [min(asked, self._records)], "different": [self._different[asked]]})

    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
        raise NotImplementedError(sql, parameters, timeout_s, cancellation)


@pytest.mark.parametrize(
    ("records", "different", "is_alike"),
    [
        (10**6, {2_000: 1_000}, True),
        (10**6, {2_000: 1_936, 100_000: 29_000}, True),
        (10**6, {2_000: 2_000, 100_000: 99_000}, False),
        (1_500, {2_000: 1_400}, False),
        (0, {2_000: 0}, True),
    ],
)
def test_values_are_alike_if_at_most_half_of_a_small_or_a_large_sample_differ(
    records: int, different: dict[int, int], is_alike: bool
) -> None:
    assert has_alike(_Sampled(records, different), "host") is is_alike
