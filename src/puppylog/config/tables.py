"""The declaration of the file: every table and every key, with type, default and meaning.

Reading, the JSON Schema and the page about the file are made from these classes, so each key is declared once. A key
whose default is None may be left out; its description says what then happens.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from puppylog.config.kinds import Duration, Identifier, Size, ZoneName
from puppylog.config.listen_tables import ListenTable, LokiTable, SyslogTable
from puppylog.config.table import Instant, Table, Text, Year, written
from puppylog.formats.listed_formats import AUTO
from puppylog.model.alert import DEFAULT_GROUP_WAIT_S, Comparison, NoData
from puppylog.model.metric import STATISTICS
from puppylog.model.period import format_period
from puppylog.tail.limits import RECORD_WAIT_S


class SourceTable(Table, frozen=True, kw_only=True):
    """Files, or a journal of systemd, that are collected, and how. The keys mean the same as the options of
    `puppylog collector`.
    """

    title = "source"
    needs_one_of = ("paths", "journal", "kubernetes", "docker")

    paths: Annotated[
        tuple[Text, ...],
        Meta(
            min_length=1,
            description="Files, compressed or not, directories, named pipes, and patterns such as /var/log/**/*.log. "
            "A path that is not absolute is relative to the directory of the file that names it. A source has either "
            "`paths` or `journal`. Default with `kubernetes` or `docker`: where these keep the logs of containers.",
        ),
    ] = ()
    journal: Annotated[bool, Meta(description="Whether the source is the systemd journal, read by `journalctl`.")] = (
        False
    )
    kubernetes: Annotated[
        bool,
        Meta(
            description="Whether the files are logs of Kubernetes, by default /var/log/pods/*/*/*.log. Their streams "
            "get the labels `namespace`, `pod`, `pod_uid`, `container` and `restart`."
        ),
    ] = False
    pod_labels: Annotated[
        tuple[Text, ...],
        Meta(
            description="For Kubernetes: labels of pods that become labels of the streams, such as `app` and "
            "`app.kubernetes.io/*`, where `*` is any text. They are read from the Kubernetes API. In their names, "
            "every character but a letter or a digit becomes `_`. Default: none."
        ),
    ] = ()
    docker: Annotated[
        bool,
        Meta(
            description="Whether the files are logs of Docker's json-file driver, by default "
            "/var/lib/docker/containers/*/*-json.log. Their streams get the labels `container`, `container_id`, "
            "`image`, `compose_project` and `compose_service`."
        ),
    ] = False
    labels: Annotated[
        Mapping[Text, Text],
        Meta(description='Labels of the streams, such as `{ env = "prod" }`, by which their records are found.'),
    ] = msgspec.field(default_factory=dict)
    units: Annotated[
        tuple[Text, ...],
        Meta(description="For a journal: only entries of these units, such as `nginx.service`. Default: all."),
    ] = ()
    matches: Annotated[
        tuple[Text, ...],
        Meta(
            description="For a journal: only entries that match, such as `_HOSTNAME=web1`. Values of one field are "
            "alternatives. Default: all."
        ),
    ] = ()
    journal_directory: Annotated[
        Text | None,
        Meta(
            description="For a journal: the directory of its files, such as /var/log/journal/remote. Default: the "
            "journal of this machine."
        ),
    ] = None
    format: Annotated[
        Text,
        Meta(
            description="How lines are parsed: a name of `puppylog formats`, `@` and the path of a format file, a "
            "log_format or LogFormat copied from a server's configuration, or a regular expression with named groups."
        ),
    ] = AUTO
    format_file: Annotated[
        Text | None,
        Meta(
            description="An nginx.conf or httpd.conf that has the format: the one that `format` names, or else the one "
            "that fits. Default: none."
        ),
    ] = None
    group: Annotated[
        Identifier | None,
        Meta(
            description="The log group, which is created if it does not exist. Default: the group that each "
            "file already has."
        ),
    ] = None
    tz: Annotated[
        ZoneName | None,
        Meta(description="The zone of time stamps without an offset. Default: the `tz` of the file, or else UTC."),
    ] = None
    year: Annotated[
        Year | None,
        Meta(
            description="The year of the first time stamps without a year. Default: the latest year in which they are "
            "not after the file's last change.",
        ),
    ] = None
    from_end: Annotated[
        bool, Meta(description="Whether to skip the existing content of files that the store does not know.")
    ] = False
    multiline: Annotated[
        Text,
        Meta(
            description="Which lines continue the record before them: `auto`, those that do not begin a record of "
            "their format; `none`; `indent`, those that are indented; or a regular expression that lines which begin "
            "a record match."
        ),
    ] = "auto"
    multiline_timeout: Annotated[
        Duration, Meta(description="After this time without a new line, the last record of several lines is complete.")
    ] = written(Duration, format_period(int(RECORD_WAIT_S)))
    now: Annotated[bool, Meta(description="Whether each record gets the time at which its line is read.")] = False


class MetricTable(Table, frozen=True, kw_only=True):
    """A metric. The keys mean the same as the options of `puppylog monitor metrics create`."""

    title = "metric"

    name: Annotated[Identifier, Meta(description="The name of the metric.")]
    statistic: Annotated[
        Text, Meta(description=f"The statistic: {', '.join(STATISTICS)}, or a percentile such as p99.")
    ] = "count"
    property: Annotated[
        Text,
        Meta(
            description="What the statistic is computed from: * (whole records), a column, `attributes.<key>`, or an "
            "expression such as `attributes.duration_ms / 1000`."
        ),
    ] = "*"
    period: Annotated[Duration, Meta(description="The length of a bucket.")] = written(Duration, "1m")
    segment: Annotated[
        Text | None,
        Meta(
            description="The metric has one series for each value of this SQL expression, such as "
            "`split_part(request_route, '/', 2)`. Default: one series."
        ),
    ] = None
    filter: Annotated[
        Text | None,
        Meta(
            description="Only records that match: SQL such as `status_code >= 500`, or a query such as "
            "`severity>=warning`. An attribute is written as `attributes.<key>`. Default: all records."
        ),
    ] = None
    refresh: Annotated[
        Duration | None,
        Meta(description="The time between two materializations of new records. Default: the period, at least 10s."),
    ] = None
    group: Annotated[Identifier | None, Meta(description="Only records of this log group. Default: of all groups.")] = (
        None
    )
    of: Annotated[
        Text | None,
        Meta(
            description="For a ratio, which requires it: the records whose share is computed, such as "
            "`status_code >= 500`. Default: none."
        ),
    ] = None
    from_: Annotated[
        Text | None,
        Meta(
            description="Derive the metric from metrics of the same period: arithmetic over their names, such as "
            "`errors / total * 100`. No other key than `name` is allowed then. Default: none."
        ),
    ] = msgspec.field(name="from", default=None)


class AlertTable(Table, frozen=True, kw_only=True):
    """An alert. The keys mean the same as the options of `puppylog monitor alerts create`."""

    title = "alert"

    name: Annotated[Identifier, Meta(description="The name of the alert.")]
    metric: Annotated[Identifier, Meta(description="The metric that is judged; it is in this file or in the store.")]
    statistic: Annotated[
        Literal["avg", "sum", "min", "max"], Meta(description="The statistic of the observations in the window.")
    ] = "avg"
    comparison: Annotated[Comparison, Meta(description="How the statistic is compared with the threshold.")]
    threshold: Annotated[float, Meta(description="The alert fires when the comparison with this number is true.")]
    window: Annotated[Duration, Meta(description="The length of time that is judged: whole periods of the metric.")] = (
        written(Duration, "2m")
    )
    period: Annotated[
        Duration | None,
        Meta(description="The time between two evaluations. Default: 5s, or a 120th of the window if that is longer."),
    ] = None
    for_: Annotated[Duration, Meta(description="How long the comparison must be true before the alert fires.")] = (
        written(Duration, "0s", name="for")
    )
    keep_firing_for: Annotated[
        Duration, Meta(description="How long the comparison must be false before the alert recovers.")
    ] = written(Duration, "0s")
    delay: Annotated[
        Duration | None,
        Meta(
            description="How long before now the window ends, to wait for late lines. Default: one period of the "
            "metric, at least 2s."
        ),
    ] = None
    each_segment: Annotated[
        bool, Meta(description="Whether each segment of the metric is judged separately, instead of all together.")
    ] = False
    no_data: Annotated[
        NoData | None,
        Meta(
            description="The state, or the value, if the window has no observation. Default: zero for metrics that "
            "count, else no_data."
        ),
    ] = None
    contacts: Annotated[
        tuple[Text, ...], Meta(description="The contacts that are notified when the state of the alert changes.")
    ] = ()
    group_wait: Annotated[
        Duration, Meta(description="How long a message waits for changes in other segments of the alert.")
    ] = written(Duration, format_period(DEFAULT_GROUP_WAIT_S))
    repeat: Annotated[
        Duration,
        Meta(description="While the alert fires, the contacts are notified again after this time; 0s is never."),
    ] = written(Duration, "0s")
    severity: Annotated[
        Literal["critical", "error", "warning", "info"], Meta(description="How serious the alert is.")
    ] = "warning"
    summary: Annotated[str, Meta(description="What the alert means, in one line.")] = ""


class SilenceTable(Table, frozen=True, kw_only=True):
    """A time in which alerts send no notifications. They are still evaluated."""

    title = "silence"

    name: Annotated[Text, Meta(description="The name of the silence.")]
    alert: Annotated[Text, Meta(description="The names of the alerts; * is any text, and ? any character.")] = "*"
    segment: Annotated[
        Text,
        Meta(
            description="The segments, with the same wildcards. Only * matches an alert that judges all "
            "segments of its metric together."
        ),
    ] = "*"
    starts: Annotated[Instant, Meta(description="The time at which the silence begins.")]
    ends: Annotated[
        Instant,
        Meta(
            description="The time at which the silence ends. If an alert's state differs from the "
            "last one that was sent, it is sent then."
        ),
    ]
    author: Annotated[str, Meta(description="Who set the silence.")] = ""
    comment: Annotated[str, Meta(description="Why the silence was set.")] = ""


class RetentionTable(Table, frozen=True, kw_only=True):
    """Which records are kept. The oldest ones are dropped first; metrics keep their buckets."""

    title = "retention"

    keep: Annotated[Duration | None, Meta(description="Records older than this are dropped. Default: none.")] = None
    max_size: Annotated[
        Size | None,
        Meta(description="The oldest records are dropped before the store becomes larger. Default: no limit."),
    ] = None
    archive: Annotated[
        Text | None,
        Meta(
            description="A directory to which records are written as Parquet files before they are dropped. "
            "Default: none."
        ),
    ] = None
    groups: Annotated[
        dict[Identifier, Duration],
        Meta(description="The same as `keep`, for the records of one log group; the shorter time applies."),
    ] = {}  # noqa: RUF012 - msgspec copies it


LISTED: Final[tuple[type[Table], ...]] = (SourceTable, MetricTable, AlertTable, SilenceTable, SyslogTable)
"""The tables that are written as `[[name]]`, any number of times."""

SINGLE: Final[tuple[type[Table], ...]] = (RetentionTable, ListenTable, LokiTable)
"""The tables that are written as `[name]`, once."""

INCLUDE_DESCRIPTION: Final = (
    "More files to read: paths and patterns such as conf.d/*.toml, relative to the directory of the file. They may "
    "have tables, but no settings."
)
