"""What ``--default`` creates: the traffic of a web server, in all and per section, and an alert on too much of it."""

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric

_TOTAL_TRAFFIC = Metric("total_traffic", "count", "*", period_s=1, refresh_s=10)

# Reading is real-time whatever the refresh: materializing seldom costs less and is seen by nobody.
DEFAULT_METRICS = (
    Metric(
        "total_traffic_per_route", "count", "*", period_s=10, segment="SPLIT_PART(request_route, '/', 2)", refresh_s=10
    ),
    _TOTAL_TRAFFIC,
)

DEFAULT_ALERTS = (
    define_alert("totaltraffic", _TOTAL_TRAFFIC, statistic="avg", comparison=Comparison.ABOVE, level=10, window_s=120),
)
