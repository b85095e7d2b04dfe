"""PagerDuty: version 2 of its events API. Each segment is an incident of its own, which ends with its resolution."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from puppylog.errors import DeliveryFailed
from puppylog.notify.alertmanager_form import annotations_of, write_instant
from puppylog.notify.contact import Delivery, secret_field
from puppylog.notify.failure import failed
from puppylog.notify.http import post_json
from puppylog.notify.message import Kind, Message, SegmentReport
from puppylog.notify.render import format_line, format_title
from puppylog.notify.text import checked_link, cut_text, one_line

MAX_SUMMARY: Final = 1_024  # characters
MAX_DEDUP_KEY: Final = 255  # characters
_MAX_TEXT: Final = 1_000
_CUT_NOTE: Final = 40  # characters, with which a cut says how much it left out

_ACTIONS: Final = {
    Kind.FIRING: "trigger",
    Kind.NO_DATA: "trigger",
    Kind.ACKNOWLEDGED: "acknowledge",
    Kind.RESOLVED: "resolve",
}
_SEVERITIES: Final = frozenset({"critical", "error", "warning", "info"})


@dataclass(frozen=True, kw_only=True)
class PagerDuty:
    """A service of PagerDuty, by the integration "Events API v2".

    Attributes:
        name: by which an alert names the contact.
        routing_key: the integration's key, which is a secret.
        url: the URL of the API; that of the European region is ``https://events.eu.pagerduty.com``.
    """

    type: ClassVar[str] = "pagerduty"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = True
    max_segments: ClassVar[int | None] = 20  # each is a request

    name: str
    routing_key: str = secret_field()
    url: str = "https://events.pagerduty.com"

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send an event for each segment. See `puppylog.notify.contact.Contact`.

        PagerDuty takes an event that it has got before as the same one, so all are sent again after an error.
        """
        answer = ""
        for sent, report in enumerate(message.segments):
            event = {"routing_key": self.routing_key, **draw_event(message, report)}
            try:
                answer = post_json(
                    self.name,
                    f"{self.url.rstrip('/')}/v2/enqueue",
                    event,
                    delivery,
                    secrets={self.routing_key},
                ).describe()
            except DeliveryFailed as error:
                if not sent:
                    raise
                cause = f"after {sent} of {len(message.segments)} events, {error.cause}"
                raise failed(self.name, cause, is_final=error.is_final, retry_after_s=error.retry_after_s) from error
        return answer


def draw_event(message: Message, report: SegmentReport) -> dict[str, Any]:
    """Return the event for a segment, without the routing key."""
    event: dict[str, Any] = {"event_action": _ACTIONS[report.kind], "dedup_key": _dedup_key(report)}
    if event["event_action"] != "trigger":
        return event
    of_segment = replace(message, segments=(report,), segments_omitted=0)
    details: dict[str, object] = {**annotations_of(of_segment, report), "metric": one_line(message.metric)}
    details["threshold"] = message.threshold
    if report.segment is not None:
        details["segment"] = cut_text(report.segment, _MAX_TEXT)
    if report.lines:
        details["lines"] = [format_line(line, _MAX_TEXT) for line in report.lines]
        details["lines_omitted"] = report.lines_omitted
    event["payload"] = {
        "summary": cut_text(format_title(of_segment, MAX_SUMMARY // 4), MAX_SUMMARY - _CUT_NOTE),
        "source": cut_text(message.store, _MAX_TEXT) or "puppylog",
        "severity": message.severity if message.severity in _SEVERITIES else "warning",
        "timestamp": write_instant(report.since),
        "component": cut_text(message.metric, _MAX_TEXT),
        "group": cut_text(message.alert, _MAX_TEXT),
        "class": str(report.kind),
        "custom_details": details,
    }
    event["client"] = "Puppylog"
    if link := checked_link(message.link):
        event["client_url"] = link
    return event


def _dedup_key(report: SegmentReport) -> str:
    if len(report.key) <= MAX_DEDUP_KEY:
        return report.key
    return hashlib.sha256(report.key.encode()).hexdigest()
