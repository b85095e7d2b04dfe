"""ntfy: a topic of ntfy.sh, or of a server of one's own."""

from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

from puppylog.notify.contact import Delivery, open_field, secret_field
from puppylog.notify.failure import failed, secrets_of_url, server_of
from puppylog.notify.http import bearer, post_json
from puppylog.notify.message import Kind, Message
from puppylog.notify.render import Style, fit, format_plain, format_title
from puppylog.notify.text import checked_link, cut_text

MAX_BYTES: Final = 4_000
"""ntfy turns a message above 4,096 bytes into an attachment, which many servers refuse."""

MAX_TITLE: Final = 120  # characters of up to four bytes, with the name in it cut so that 200 characters are the most

_PRIORITIES: Final = {"critical": 5, "error": 4, "warning": 3, "info": 2}
_TAGS: Final = {
    Kind.FIRING: "rotating_light",
    Kind.NO_DATA: "grey_question",
    Kind.RESOLVED: "white_check_mark",
    Kind.ACKNOWLEDGED: "eyes",
}
_USUAL_PRIORITY: Final = 3
_MIN_PRIORITY: Final = 2  # of messages that a problem is over, or that a person knows of it


@dataclass(frozen=True, kw_only=True)
class Ntfy:
    """A topic of ntfy.

    Attributes:
        name: by which an alert names the contact.
        url: the URL of the topic, such as ``https://ntfy.sh/my-topic``. On a public server, the topic is like a
            password.
        token: an access token; empty if the topic needs none.
        ca_file: CA certificates to trust, in addition to those of the system.
    """

    type: ClassVar[str] = "ntfy"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str
    url: str = open_field()
    token: str = secret_field(default="")
    ca_file: str = ""

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`."""
        parts = urlsplit(self.url)
        path, _, topic = parts.path.rstrip("/").rpartition("/")
        if not topic:
            raise failed(self.name, "its URL names no topic", server=server_of(self.url), is_final=True)
        document = {"topic": unquote(topic), **draw(message)}
        root = parts._replace(path=path or "/", query="", fragment="").geturl()
        secrets = {*secrets_of_url(self.url), self.token}
        headers = bearer(self.token)
        return post_json(
            self.name, root, document, delivery, headers=headers, secrets=secrets, ca_file=self.ca_file
        ).describe()


def draw(message: Message) -> dict[str, object]:
    """Return the message within the limits, without the topic."""
    text = fit(
        message,
        lambda composed: format_plain([part for part in composed if part.style not in {Style.TITLE, Style.LINK}]),
        lambda drawn: len(drawn.encode()) <= MAX_BYTES,
    )
    document: dict[str, object] = {
        "title": cut_text(format_title(message, MAX_TITLE // 4), MAX_TITLE),
        "message": text,
        "priority": _priority(message),
        "tags": [_TAGS[message.kind]],
    }
    if link := checked_link(message.link):
        document["click"] = link
    return document


def _priority(message: Message) -> int:
    is_problem = message.kind in {Kind.FIRING, Kind.NO_DATA}
    return _PRIORITIES.get(message.severity, _USUAL_PRIORITY) if is_problem else _MIN_PRIORITY
