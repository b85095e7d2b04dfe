"""The metrics and alerts that ``--default`` creates.

They count the requests of a web server, in total and per section, with an alert on too many; and the lines of each
stream, with an alert on a stream that has none.
"""

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric

_TOTAL_TRAFFIC = Metric("total_traffic", "count", "*", period_s=1, refresh_s=10)

# A query computes the buckets that are not materialized yet, so a long refresh interval saves work and hides nothing.
_LINES_PER_STREAM = Metric("lines_per_stream", "count", "*", period_s=60, segment="stream_id", refresh_s=60)

DEFAULT_METRICS = (
    Metric(
        "total_traffic_per_route", "count", "*", period_s=10, segment="SPLIT_PART(request_route, '/', 2)", refresh_s=10
    ),
    _TOTAL_TRAFFIC,
    _LINES_PER_STREAM,
)

DEFAULT_ALERTS = (
    define_alert(
        "totaltraffic", _TOTAL_TRAFFIC, statistic="avg", comparison=Comparison.ABOVE, threshold=10, window_s=120
    ),
    # A stream is judged from its first line on. A day after its last line its state is deleted, and the alert ends.
    define_alert(
        "silent_stream",
        _LINES_PER_STREAM,
        statistic="sum",
        comparison=Comparison.BELOW,
        threshold=1,
        window_s=300,
        period_s=10,
        delay_s=10,
        each_segment=True,
    ),
)
