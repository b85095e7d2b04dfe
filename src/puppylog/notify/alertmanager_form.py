"""A message in the form of Prometheus' Alertmanager: an alert for each segment, with labels and annotations.

The labels of an alert are its identity, so they are the same while it fires and when it is resolved. What changes from
one message to the next, such as the value, is an annotation.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Final, TypeAlias

from puppylog.model.number import format_number
from puppylog.notify.message import Kind, Message, SegmentReport
from puppylog.notify.render import LATE, TEST, describe_rule, draw_chart, format_line, format_title
from puppylog.notify.text import checked_link, cut_text, one_line

Labels: TypeAlias = dict[str, str]

_MAX_LABEL: Final = 500  # characters
_MAX_ANNOTATION: Final = 2_000
_MAX_LINE: Final = 500
_EMPTY_SEGMENT: Final = '""'  # Alertmanager takes a label with an empty value for no label
NEVER: Final = "0001-01-01T00:00:00Z"
"""How Alertmanager writes that an alert has not ended."""


def labels_of(message: Message, report: SegmentReport, more: Mapping[str, str]) -> Labels:
    """Return the labels of a segment's alert, without empty ones.

    Args:
        message: the message.
        report: one of its segments.
        more: further labels, which the configuration file has for the contact.
    """
    labels = {
        "alertname": message.alert,
        "severity": message.severity,
        "metric": message.metric,
        "store": message.store,
        **more,
    }
    if message.each_segment and report.segment is not None:
        labels["segment"] = cut_text(report.segment, _MAX_LABEL) or _EMPTY_SEGMENT
    shown = {name: cut_text(value, _MAX_LABEL) for name, value in labels.items()}
    return {name: value for name, value in shown.items() if value}


def annotations_of(message: Message, report: SegmentReport) -> Labels:
    """Return the annotations of a segment's alert, without empty ones."""
    notes = [TEST if message.is_test else "", LATE if message.is_late else "", message.note]
    shown = "\n".join(format_line(line, _MAX_LINE) for line in report.lines)
    omitted = f"\nand {report.lines_omitted:,} more lines" if report.lines_omitted else ""
    annotations = {
        "title": format_title(message),
        "summary": cut_text(message.summary, _MAX_ANNOTATION),
        "description": describe_rule(message) if message.metric else "",
        "value": format_number(report.value),
        "chart": draw_chart(report),
        "lines": shown + omitted,
        "command": cut_text(message.command, _MAX_ANNOTATION),
        "note": " ".join(cut_text(note, _MAX_ANNOTATION) for note in notes if note),
    }
    return {name: value for name, value in annotations.items() if value}


def webhook_payload(message: Message, receiver: str) -> dict[str, object]:
    """Return the message as the payload, version 4, that Alertmanager sends to a webhook."""
    alerts = [_webhook_alert(message, report) for report in message.segments]
    labels = [labels_of(message, report, {}) for report in message.segments]
    notes = [annotations_of(message, report) for report in message.segments]
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{one_line(message.alert)}"}}',
        "truncatedAlerts": message.segments_omitted,
        "status": "resolved" if message.kind is Kind.RESOLVED else "firing",
        "receiver": receiver,
        "groupLabels": {"alertname": one_line(message.alert)},
        "commonLabels": _common(labels),
        "commonAnnotations": _common(notes),
        "externalURL": checked_link(message.link),
        "alerts": alerts,
    }


def write_instant(instant: datetime) -> str:
    """Return the instant as RFC 3339 in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _webhook_alert(message: Message, report: SegmentReport) -> dict[str, object]:
    labels = labels_of(message, report, {})
    return {
        "status": "resolved" if report.kind is Kind.RESOLVED else "firing",
        "labels": labels,
        "annotations": annotations_of(message, report),
        "startsAt": write_instant(report.since),
        "endsAt": NEVER if report.ended_at is None else write_instant(report.ended_at),
        "generatorURL": checked_link(message.link),
        "fingerprint": _fingerprint(labels),
    }


def _fingerprint(labels: Labels) -> str:
    text = "\xff".join(chain.from_iterable(sorted(labels.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _common(many: list[Labels]) -> Labels:
    first, *others = many
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in others)}
