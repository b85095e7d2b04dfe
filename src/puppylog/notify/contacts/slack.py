"""Slack, and servers that take the same messages, such as Mattermost: an incoming webhook."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from puppylog.notify.contact import Delivery, secret_field
from puppylog.notify.http import post_json
from puppylog.notify.message import Message
from puppylog.notify.render import Part, Style, fit
from puppylog.notify.text import without_backticks

MAX_CHARACTERS: Final = 3_900
"""Slack accepts up to 40,000 characters, but shows more than 4,000 as several messages."""


@dataclass(frozen=True, kw_only=True)
class Slack:
    """A channel of Slack, by an incoming webhook.

    Attributes:
        name: by which an alert names the contact.
        url: the webhook's URL, which is a secret.
        channel: for servers that let a message choose its channel, such as Mattermost.
        ca_file: CA certificates to trust, in addition to those of the system.
    """

    type: ClassVar[str] = "slack"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str
    url: str = secret_field()
    channel: str = ""
    ca_file: str = ""

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`."""
        document: dict[str, object] = {
            "text": fit_text(message),
            "mrkdwn": True,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if self.channel:
            document["channel"] = self.channel
        return post_json(self.name, self.url, document, delivery, ca_file=self.ca_file).describe()


def fit_text(message: Message) -> str:
    """Return the message as Slack's markup within the limit."""
    return fit(message, draw, lambda drawn: len(drawn) <= MAX_CHARACTERS)


def draw(parts: Sequence[Part]) -> str:
    """Return the paragraphs as Slack's markup."""
    return "\n".join(map(_draw_part, parts))


def _draw_part(part: Part) -> str:
    text = _escape(part.text)
    match part.style:
        case Style.TITLE:
            return f"*{_without_marks(text)}*"
        case Style.BLOCK:
            return f"```\n{without_backticks(text)}\n```"
        case Style.COMMAND:
            return f"More: `{without_backticks(text)}`"
        case Style.LINK:
            return f"Page: <{text.replace('|', '%7C')}>"
        case Style.TEXT:
            return _without_marks(text)


def _escape(text: str) -> str:
    """Escape the three characters with which Slack writes links, mentions and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_marks(text: str) -> str:
    """Return text that Slack shows as it is: marks that would begin or end bold and others become similar characters.

    Slack has no escape for them. Slack ignores a mark inside a word, as in ``total_traffic``.
    """
    return _MARK.sub(lambda mark: _SIMILAR[mark[0]], without_backticks(text))


_MARK: Final = re.compile(r"(?<!\w)[*_~]|[*_~](?!\w)")
_SIMILAR: Final = {"*": "\N{ASTERISK OPERATOR}", "_": "\N{FULLWIDTH LOW LINE}", "~": "\N{TILDE OPERATOR}"}
