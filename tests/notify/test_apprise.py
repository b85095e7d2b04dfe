"""Apprise is an extra: a stand-in has the part of its interface that the contact uses."""

import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from puppylog.errors import DeliveryFailed
from puppylog.notify.contact import Delivery
from puppylog.notify.contacts.apprise import Apprise
from support.messages import NOON, ONE

CONTACT = Apprise(name="ops", url="tgram://hunter2hunter2/1")


class StandIn:
    """As `apprise.Apprise`: ``add`` says whether there is such a service, ``notify`` whether it took the message."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.told: dict[str, Any] = {}

    def add(self, url: str) -> bool:
        return url.startswith("tgram://")

    def notify(self, **told: Any) -> bool:
        self.told = told
        if isinstance(self.answer, Exception):
            raise self.answer
        return bool(self.answer)


def stand_in(monkeypatch: pytest.MonkeyPatch, answer: Any) -> StandIn:
    sender = StandIn(answer)
    monkeypatch.setitem(sys.modules, "apprise", SimpleNamespace(Apprise=lambda: sender))
    return sender


def send(contact: Apprise = CONTACT) -> str:
    return contact.send(ONE, Delivery(time.monotonic() + 10, now=NOON))


def test_a_service_takes_a_title_and_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = stand_in(monkeypatch, answer=True)
    assert send() == "the service took it"
    assert sender.told["title"] == "[FIRING] errors: 12.5, above 10"
    assert sender.told["notify_type"] == "failure"
    assert len(sender.told["body"]) <= 2000


@pytest.mark.parametrize("answer", [False, RuntimeError("hunter2hunter2")], ids=["refused", "error"])
def test_a_service_that_does_not_take_it_is_tried_again(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    stand_in(monkeypatch, answer)
    with pytest.raises(DeliveryFailed) as caught:
        send()
    assert not caught.value.is_final
    assert "hunter2" not in caught.value.message


def test_an_unknown_service_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, answer=True)
    with pytest.raises(DeliveryFailed, match="does not know a service with this URL") as caught:
        send(Apprise(name="ops", url="nothing://x"))
    assert caught.value.is_final


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(DeliveryFailed) as caught:
        send()
    assert caught.value.message == (
        "cannot send the message to contact 'ops': the package apprise is not installed; install puppylog[apprise]"
    )
    assert caught.value.is_final
