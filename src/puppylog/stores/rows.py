"""From rows of the store's tables to values of the model. All kinds of stores have the same columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.labels import Labels
from puppylog.model.metric import Metric
from puppylog.model.silence import Silence
from puppylog.model.stream import FilePosition, Fingerprint, KnownFile, StreamReport
from puppylog.model.token import Scope, Token

Row = Mapping[str, Any]


def metric_of(row: Row) -> Metric:
    return Metric(
        name=row["name"],
        statistic=row["statistic"],
        property=row["property"],
        period_s=row["period_s"],
        segment=row["segment"],
        filter=row["filter"],
        refresh_s=row["refresh_s"],
        group=row["group_name"],
        of=row["of"],
    )


def alert_of(row: Row) -> Alert:
    return Alert(
        name=row["name"],
        metric=row["metric"],
        statistic=row["statistic"],
        comparison=Comparison(row["comparison"]),
        threshold=row["level"],
        window_s=row["window_s"],
        period_s=row["period_s"],
        for_s=row["for_s"],
        keep_firing_for_s=row["keep_firing_for_s"],
        delay_s=row["delay_s"],
        each_segment=row["each_segment"],
        no_data=NoData(row["no_data"]),
        contacts=tuple(json.loads(row["contacts"])),
        group_wait_s=row["group_wait_s"],
        repeat_s=row["repeat_s"],
        severity=row["severity"],
        summary=row["summary"],
    )


def values_of_metric(metric: Metric) -> dict[str, Any]:
    """Return the columns of a metric's row that define it, without its group: the store has a column ``group_id``."""
    return {field: value for field, value in asdict(metric).items() if field != "group"}


def columns_of_alert(alert: Alert) -> dict[str, Any]:
    """Return the definition of an alert by the names of its columns: its threshold is in ``level``."""
    return {("level" if field == "threshold" else field): value for field, value in asdict(alert).items()}


def values_of_alert(alert: Alert, metric_id: int) -> dict[str, Any]:
    """Return the columns of an alert's row that say what it is."""
    values = {column: value for column, value in columns_of_alert(alert).items() if column != "metric"}
    contacts = json.dumps(alert.contacts)
    plain = {"comparison": alert.comparison.value, "no_data": alert.no_data.value, "contacts": contacts}
    return {**values, "metric_id": metric_id, **plain}


def silence_of(row: Row) -> Silence:
    """Return the silence of a row, whose instants are values or RFC 3339."""
    instants = {name: row[name] for name in ("starts_at", "ends_at")}
    instants = {name: datetime.fromisoformat(at) if isinstance(at, str) else at for name, at in instants.items()}
    return Silence(**{**row, **instants})


def values_of_silence(silence: Silence) -> dict[str, Any]:
    """Return the columns of a silence's row, with instants in RFC 3339."""
    instants = {"starts_at": silence.starts_at.isoformat(), "ends_at": silence.ends_at.isoformat()}
    return {**asdict(silence), **instants}


def token_of(row: Row) -> Token:
    """Return the token of a row, whose instants are values or RFC 3339."""
    names = ("created_at", "expires_at", "revoked_at", "used_at")
    instants = {name: datetime.fromisoformat(row[name]) if isinstance(row[name], str) else row[name] for name in names}
    return Token(**{**row, **instants, "scope": Scope(row["scope"])})


def position_of(row: Row) -> FilePosition:
    fingerprint = Fingerprint(row["head_size"], row["head_hash"], row["marker_size"], row["marker_hash"])
    return FilePosition(
        row["file_id"],
        row["path"],
        row["device"],
        row["inode"],
        fingerprint,
        row["byte_offset"],
        row["finished"],
        row["context"],
        row.get("opened_ago_s"),
    )


def encode_labels(labels: Labels) -> str:
    """Return labels as the store has them: JSON with sorted names."""
    return json.dumps(dict(labels), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def decode_labels(text: str) -> dict[str, str]:
    """Return the labels of a stream from the JSON of the store, in the order of their names."""
    labels: dict[str, str] = json.loads(text)
    return dict(sorted(labels.items()))


def known_file_of(row: Row) -> KnownFile:
    return KnownFile(row["stream_id"], row["source_uri"], position_of(row))


def columns_of_reports(reports: Sequence[StreamReport]) -> dict[str, list[Any]]:
    """Return the reports as columns: a thousand come every few seconds, and one statement stores them all."""
    return {field.name: [getattr(report, field.name) for report in reports] for field in fields(StreamReport)}
