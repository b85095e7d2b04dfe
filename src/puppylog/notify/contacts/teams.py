"""Microsoft Teams: an adaptive card, sent to the webhook of a workflow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from puppylog.notify.contact import Delivery, secret_field
from puppylog.notify.http import post_json
from puppylog.notify.message import Message
from puppylog.notify.render import Part, Style, fit

MAX_BYTES: Final = 27_000
"""Teams refuses a message above 28 KB of JSON."""


@dataclass(frozen=True, kw_only=True)
class Teams:
    """A channel of Microsoft Teams, by a workflow's "when a webhook request is received".

    Attributes:
        name: by which an alert names the contact.
        url: the workflow's URL, which is a secret.
    """

    type: ClassVar[str] = "teams"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str
    url: str = secret_field()

    def send(self, message: Message, delivery: Delivery) -> str:
        """Send the message. See `puppylog.notify.contact.Contact`."""
        return post_json(self.name, self.url, fit_card(message), delivery).describe()


def fit_card(message: Message) -> dict[str, object]:
    """Return the message as a card within the limit."""
    return fit(message, draw, lambda drawn: len(json.dumps(drawn)) <= MAX_BYTES)


def draw(parts: Sequence[Part]) -> dict[str, object]:
    """Return the paragraphs as a message with one adaptive card."""
    links = [part.text for part in parts if part.style is Style.LINK]
    card: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [_draw_part(part) for part in parts if part.style is not Style.LINK],
        "actions": [{"type": "Action.OpenUrl", "title": "Open the page", "url": link} for link in links],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _draw_part(part: Part) -> dict[str, object]:
    """Return an element of the card. Runs of text are not read as Markdown, so nothing in them needs an escape."""
    match part.style:
        case Style.TITLE:
            runs = [_run(part.text, weight="Bolder", size="Medium")]
        case Style.BLOCK:
            runs = [_run(f"{line}\n", fontType="Monospace", size="Small") for line in part.text.split("\n")]
        case Style.COMMAND:
            runs = [_run("More: "), _run(part.text, fontType="Monospace")]
        case _:
            runs = [_run(part.text)]
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **looks: str) -> dict[str, str]:
    return {"type": "TextRun", "text": text, **looks}
