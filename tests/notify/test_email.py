"""E-mail by a real SMTP server on loopback: what arrives, and what the server's answers mean."""

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from puppylog.errors import DeliveryFailed
from puppylog.notify.contact import Delivery
from puppylog.notify.contacts.email import Email
from support.certificate import write_certificate
from support.messages import NOON, ONE, RESOLVED
from support.smtp_receiver import SmtpReceiver

PASSWORD = "hunter2hunter2"  # noqa: S105 - a value for the tests


def contact_of(receiver: SmtpReceiver) -> Email:
    return Email(
        name="ops",
        host="127.0.0.1",
        port=receiver.port,
        security="none",
        to=("ops@example.com", "Ann Example <ann@example.com>"),
        sender="Puppylog <puppylog@example.com>",
    )


def delivery(seconds: float = 10.0) -> Delivery:
    return Delivery(time.monotonic() + seconds, now=NOON)


def failure(contact: Email, seconds: float = 10.0) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        contact.send(ONE, delivery(seconds))
    assert PASSWORD not in caught.value.message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_an_e_mail_has_a_text_and_a_page_and_one_thread_for_a_firing() -> None:
    with SmtpReceiver() as receiver:
        contact = contact_of(receiver)
        assert contact.send(ONE, delivery()) == "accepted"
        assert contact.send(ONE, delivery()) == "accepted"
        contact.send(RESOLVED, delivery())
        contact.send(replace(ONE, told_at=NOON, occasion="17"), delivery())
    first, again, resolved, reminder = receiver.mails
    assert first["Message-ID"] != reminder["Message-ID"]  # mail programs show messages of one identity once
    assert first["References"] == reminder["References"]
    assert receiver.recipients[0] == ["ops@example.com", "ann@example.com"]
    assert first["Subject"] == "[FIRING] errors: 12.5, above 10"
    assert first["From"] == "Puppylog <puppylog@example.com>"
    assert first["Message-ID"] == again["Message-ID"] != resolved["Message-ID"]
    assert first["References"] == resolved["References"]
    plain, page = first.get_body(("plain",)), first.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "GET /cart?a=1&b=<2> HTTP/1.1 502 `x` *b*" in plain.get_content()
    assert "GET /cart?a=1&amp;b=&lt;2&gt; HTTP/1.1 502" in page.get_content()
    assert '<a href="https://logs.example.com/alerts/errors">' in page.get_content()


def test_a_login_is_encrypted_and_its_password_never_shown(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    with SmtpReceiver(certificate=certificate, login=("puppylog", PASSWORD)) as receiver:
        contact = replace(contact_of(receiver), security="starttls", user="puppylog", password=PASSWORD)
        assert failure(contact).cause.startswith("the certificate is not valid: ")
        contact = replace(contact, ca_file=str(tmp_path / "certificate.pem"))
        assert contact.send(ONE, delivery()) == "accepted"
        assert set(receiver.logins) == {("puppylog", PASSWORD)}
        error = failure(replace(contact, password=f"{PASSWORD}x"))
        assert error.cause.startswith("the server refuses the login: 535 ")
        assert error.is_final
        assert failure(replace(contact, password=f"{PASSWORD}ä\n")).is_final


def test_a_server_without_starttls_is_final() -> None:
    with SmtpReceiver() as receiver:
        error = failure(replace(contact_of(receiver), security="starttls"))
    assert error.is_final
    assert "STARTTLS" in error.cause


@pytest.mark.parametrize(
    ("answer", "is_final"), [("451 try later", False), ("554 no \x1b[31mthanks", True)], ids=["later", "never"]
)
def test_the_answer_to_a_message_says_whether_to_try_again(answer: str, is_final: bool) -> None:
    with SmtpReceiver() as receiver:
        receiver.answer = answer
        error = failure(contact_of(receiver))
    assert error.cause == f"the server does not take the message: {answer}".replace("\x1b", "\\x1b")
    assert error.is_final is is_final


def test_an_address_that_is_refused_does_not_stop_the_others() -> None:
    with SmtpReceiver() as receiver:
        receiver.refuses = {"ops@example.com": "550 no such user"}
        answer = contact_of(receiver).send(ONE, delivery())
        assert answer == "accepted, but not for ops@example.com: 550 no such user"
        receiver.refuses["ann@example.com"] = "450 mailbox busy"
        error = failure(contact_of(receiver))
        assert (error.cause, error.is_final) == ("the server refuses every address: 550 no such user", False)
        receiver.refuses["ann@example.com"] = "550 no such user"
        assert failure(contact_of(receiver)).is_final


def test_a_server_that_does_not_speak_or_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        contact = Email(
            name="ops", host="127.0.0.1", port=silent.getsockname()[1], security="none", to=("a@b",), sender="c@d"
        )
        began = time.monotonic()
        error = failure(contact, 0.3)
        assert time.monotonic() - began < 5
        assert (error.cause, error.is_final) == ("there is no answer yet", False)
    error = failure(contact)
    assert (error.cause, error.is_final) == ("connection refused", False)
    error = failure(replace(contact, host="does-not-resolve.invalid"))
    assert (error.cause, error.is_final) == ("the name of the host does not resolve", False)


@pytest.mark.parametrize("address", ["", "no address", "a@b\r\nBcc: c@d", "ä@", "a@b, c@d"])
def test_an_address_that_is_none_is_final(address: str) -> None:
    contact = Email(name="ops", host="127.0.0.1", port=1, to=(address,), sender="c@d")
    assert failure(contact).is_final
