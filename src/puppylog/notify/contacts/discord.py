"""Discord: a webhook of a channel."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from puppylog.notify.contact import Delivery, secret_field
from puppylog.notify.http import post_json
from puppylog.notify.message import Message
from puppylog.notify.render import Part, Style, fit
from puppylog.notify.text import without_backticks

MAX_CHARACTERS: Final = 2_000
"""Discord refuses a longer message. Characters outside of the basic plane are counted as two, to be safe."""

_SUPPRESS_EMBEDS: Final = 4  # a flag: links in the message get no preview
_MARKDOWN: Final = re.compile(r"([\\`*_~|>#\[\]()<:@-])")


@dataclass(frozen=True, kw_only=True)
class Discord:
    """A channel of Discord, by a webhook.

    Attributes:
        name: by which an alert names the contact.
        url: the webhook's URL, which is a secret.
    """

    type: ClassVar[str] = "discord"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str
    url: str = secret_field()

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`."""
        return post_json(self.name, self.url, document_of(fit_text(message)), delivery).describe()


def document_of(text: str) -> dict[str, object]:
    """Return the JSON of a message. A text such as ``@everyone`` mentions no user, because no text is parsed for it."""
    return {"content": text, "allowed_mentions": {"parse": []}, "flags": _SUPPRESS_EMBEDS}


def fit_text(message: Message) -> str:
    """Return the message as Markdown within the limit."""
    return fit(message, draw, lambda drawn: len(drawn.encode("utf-16-le")) // 2 <= MAX_CHARACTERS)


def draw(parts: Sequence[Part]) -> str:
    """Return the paragraphs as Discord's Markdown."""
    return "\n".join(map(_draw_part, parts))


def _draw_part(part: Part) -> str:
    match part.style:
        case Style.TITLE:
            return f"**{_escape(part.text)}**"
        case Style.BLOCK:
            return f"```\n{without_backticks(part.text)}\n```"
        case Style.COMMAND:
            return f"More: `{without_backticks(part.text)}`"
        case Style.LINK:
            return f"Page: <{part.text.replace('>', '%3E')}>"
        case Style.TEXT:
            return _escape(part.text)


def _escape(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
