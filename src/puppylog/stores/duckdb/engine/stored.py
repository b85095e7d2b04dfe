"""A metric and an alert as the engine stores them."""

from dataclasses import dataclass

from puppylog.stores import definitions


@dataclass(frozen=True, slots=True)
class StoredMetric(definitions.StoredMetric):
    """A metric as the engine stores it: its definition, and up to where it is materialized."""

    watermark_us: int
    refreshed_seq: int
    refreshed_us: int | None

    def aggregate(self, where: str, source: str = "puppylog.log_records") -> str:
        """Return the SQL that computes the metric's buckets from the records of ``source`` that ``where`` selects.

        The buckets have the hidden columns of the roll-up, too.
        """
        from puppylog.stores.aggregate import aggregate_sql  # noqa: PLC0415 - an engine without metrics starts without it

        return aggregate_sql(
            self.metric, "duckdb", group_id=self.group_id, where=where, source=source, is_hidden_kept=True
        )


@dataclass(frozen=True, slots=True)
class StoredAlert(definitions.StoredAlert):
    """An alert as the engine stores it: its definition, parts of its metric's, and the time of its last evaluation."""

    metric_id: int
    metric_statistic: str
    metric_period_s: int
    metric_watermark_us: int
    evaluated_us: int
    error: str | None
