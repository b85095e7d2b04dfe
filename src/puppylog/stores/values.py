"""Values of the model, made from the JSON of a request or an answer. `messages` writes this JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.identifier import parse_identifier
from puppylog.model.labels import Labels
from puppylog.model.metric import Metric
from puppylog.model.request import ReceivedRequest
from puppylog.model.retention import Retention
from puppylog.model.stream import FilePosition, Fingerprint, KnownFile, Move, Stream
from puppylog.stores.base import NewFile


def to_fingerprint(plain: Mapping[str, Any]) -> Fingerprint:
    return Fingerprint(**plain)


def to_position(plain: Mapping[str, Any]) -> FilePosition:
    return FilePosition(**{**plain, "fingerprint": to_fingerprint(plain["fingerprint"])})


def to_known_file(plain: Mapping[str, Any]) -> KnownFile:
    return KnownFile(**{**plain, "position": to_position(plain["position"])})


def to_labels(plain: Mapping[str, Mapping[str, Any]]) -> dict[int, Labels]:
    """Return labels by stream id; in JSON, the keys of an object are texts."""
    return {
        int(stream_id): {str(name): str(value) for name, value in given.items()} for stream_id, given in plain.items()
    }


def to_stream(plain: Mapping[str, Any]) -> Stream:
    return Stream(**{**plain, "files": tuple(to_position(file) for file in plain["files"])})


def to_new_files(plain: Sequence[Mapping[str, Any]]) -> list[NewFile]:
    return [NewFile(**new) for new in plain]


def to_moves(plain: Sequence[Mapping[str, Any]]) -> list[Move]:
    return [Move(**{**move, "fingerprint": to_fingerprint(move["fingerprint"])}) for move in plain]


def to_requests(plain: Sequence[Mapping[str, Any]]) -> list[ReceivedRequest]:
    return [ReceivedRequest(**request) for request in plain]


def to_metric(plain: Mapping[str, Any]) -> Metric:
    metric = Metric(**plain)
    parse_identifier(metric.name, "metric")
    return metric


def to_alert(plain: Mapping[str, Any]) -> Alert:
    comparison, no_data = Comparison(plain["comparison"]), NoData(plain["no_data"])
    contacts = tuple(plain["contacts"])
    alert = Alert(**{**plain, "comparison": comparison, "no_data": no_data, "contacts": contacts})
    parse_identifier(alert.name, "alert")
    return alert


def to_retention(plain: Mapping[str, Any]) -> Retention:
    return Retention(**{**plain, "groups": tuple((name, keep_s) for name, keep_s in plain["groups"])})
