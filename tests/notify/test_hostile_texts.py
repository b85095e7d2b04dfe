"""Whatever a log contains: no control character, no markup, no mention, and no message above a medium's limit."""

import html
import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.notify.alertmanager_form import webhook_payload
from puppylog.notify.contact import Delivery
from puppylog.notify.contacts import discord, ntfy, pagerduty, slack, teams
from puppylog.notify.contacts.email import Email
from puppylog.notify.contacts.exec import variables_of
from puppylog.notify.message import Message
from puppylog.notify.render import SIZES, Style, compose, format_plain
from puppylog.notify.text import cut_text, one_line
from support.examples import examples
from support.messages import HOSTILE, MESSAGES, NOON


def strings_in(document: Any) -> list[str]:
    """Return every text in a JSON document, keys included."""
    match document:
        case str():
            return [document]
        case dict():
            return [text for pair in document.items() for part in pair for text in strings_in(part)]
        case list() | tuple():
            return [text for part in document for text in strings_in(part)]
    return []


def is_clean(text: str) -> bool:
    return text.replace("\r\n", "").replace("\n", "").isprintable()


@given(HOSTILE, st.integers(0, 200))
def test_a_cut_text_is_printable_and_says_what_it_left_out(text: str, most: int) -> None:
    cut = cut_text(text, most)
    assert cut.isprintable()
    assert len(cut) <= most + len("… (+1,000,000 characters)")
    assert cut == one_line(text) or cut.endswith("characters)")


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_slack_gets_no_markup_of_a_log_and_at_most_3900_characters(message: Message) -> None:
    text = slack.fit_text(message)
    assert len(text) <= slack.MAX_CHARACTERS
    assert is_clean(text)
    assert set(re.findall(r"<[^>]*>?", text)) <= {line.removeprefix("Page: ") for line in text.splitlines()}
    assert re.sub(r"&(amp|lt|gt);", "", text).count("&") == 0
    assert text.count("```") % 2 == 0


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_discord_gets_at_most_2000_characters_and_balanced_blocks(message: Message) -> None:
    text = discord.fit_text(message)
    assert len(text.encode("utf-16-le")) // 2 <= discord.MAX_CHARACTERS
    assert is_clean(text)
    assert text.count("```") % 2 == 0


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_teams_gets_a_card_of_at_most_28_kb(message: Message) -> None:
    document = teams.fit_card(message)
    assert len(json.dumps(document).encode()) <= 28 * 1024
    assert all(map(is_clean, strings_in(document)))


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_ntfy_gets_a_short_title_and_at_most_4096_bytes(message: Message) -> None:
    document = ntfy.draw(message)
    assert len(str(document["title"])) <= 200
    assert len(str(document["message"]).encode()) <= 4096
    assert all(map(is_clean, strings_in(document)))


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_pagerduty_gets_a_summary_of_at_most_1024_characters(message: Message) -> None:
    for report in message.segments:
        event = pagerduty.draw_event(message, report)
        assert all(map(is_clean, strings_in(event)))
        assert len(event["dedup_key"]) <= pagerduty.MAX_DEDUP_KEY
        if event["event_action"] == "trigger":
            assert 0 < len(event["payload"]["summary"]) <= pagerduty.MAX_SUMMARY
            assert len(json.dumps(event)) <= 512 * 1024


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_a_webhook_gets_json_with_labels_that_are_not_empty(message: Message) -> None:
    payload = json.loads(json.dumps(webhook_payload(message, "ops")).encode())
    assert all(map(is_clean, strings_in(payload)))
    assert all(value for alert in payload["alerts"] for value in alert["labels"].values())


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_an_e_mail_has_no_header_and_no_element_of_a_log(message: Message) -> None:
    contact = Email(name="ops", host="mail", to=("a@example.com",), sender="b@example.com")
    mail = contact.draw(message, Delivery(0.0, now=NOON))
    assert mail.as_bytes().isascii()
    assert mail.keys() == ["Subject", "From", "To", "Date", "Message-ID", "References", "Auto-Submitted", *MIME_HEADERS]
    plain, page = (part.get_content() for part in mail.iter_parts())
    assert is_clean(plain)
    assert is_clean(page)
    bare = re.sub(r"</?(html|body|h3|p|pre|code)>|<!DOCTYPE html>|<a href=\"[^\"<>]*\">|</a>", "", page)
    assert "<" not in bare
    assert ">" not in bare
    assert html.unescape(bare)


MIME_HEADERS = ["MIME-Version", "Content-Type"]


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_the_variables_of_a_command_have_no_control_character(message: Message) -> None:
    variables = variables_of(message)
    assert all(map(is_clean, variables.values()))
    assert all("\n" not in value for name, value in variables.items() if name != "PUPPYLOG_ALERT_TEXT")
    assert sum(map(len, variables.values())) < 100_000


@settings(max_examples=examples(8, soak=25))
@given(MESSAGES)
def test_only_a_block_has_line_breaks(message: Message) -> None:
    for size in SIZES:
        parts = compose(message, size)
        assert [part for part in parts if part.style is not Style.BLOCK and not part.text.isprintable()] == []
        assert format_plain(parts)


def test_discord_is_told_to_notify_nobody() -> None:
    assert discord.document_of("@everyone <@123>")["allowed_mentions"] == {"parse": []}
