"""What ``--default`` creates: the traffic of a web server, in all and per section, with an alert on too much of it; the
lines of each stream, with an alert on none.
"""

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric

_TOTAL_TRAFFIC = Metric("total_traffic", "count", "*", period_s=1, refresh_s=10)

# Reading is real-time whatever the refresh: materializing seldom costs less and is seen by nobody.
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
    # A stream is judged from its first line on. A day after its last one it is forgotten, and rings no more.
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
