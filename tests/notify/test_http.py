"""One request of a contact: its errors, its time-outs, its proxy, its certificate, and that no secret is ever shown."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from puppylog.errors import DeliveryFailed
from puppylog.notify.contact import Delivery
from puppylog.notify.http import Answer, post_json
from support.certificate import write_certificate
from support.embedded import wait_until
from support.http_receiver import HttpReceiver, Reply
from support.messages import NOON

SECRET = "hunter2hunter2"  # noqa: S105 - a value for the tests


def delivery(seconds: float = 10.0, **options: dict[str, str]) -> Delivery:
    return Delivery(time.monotonic() + seconds, now=NOON, **options)


def post(url: str, surroundings: Delivery | None = None, ca_file: str = "") -> Answer:
    return post_json("ops", url, {"a": "ä"}, surroundings or delivery(), secrets={SECRET}, ca_file=ca_file)


def failure(url: str, surroundings: Delivery | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        post(url, surroundings)
    error: BaseException | None = caught.value
    while error is not None:  # nor in an error that a traceback would show
        assert SECRET not in f"{error!r} {error}"
        error = None if error.__suppress_context__ else error.__cause__ or error.__context__
    return caught.value


def test_a_document_arrives_as_json_with_the_user_of_the_url_in_a_header() -> None:
    with HttpReceiver(Reply(202, "\x1b[31mfine\nmore")) as receiver:
        answer = post(receiver.url.replace("//", f"//ann:{SECRET}@") + "/hook?x=1")
    assert answer.describe() == r"202 \x1b[31mfine"
    [received] = receiver.received
    assert (received.method, received.path, received.json) == ("POST", "/hook?x=1", {"a": "ä"})
    assert received.headers["authorization"].startswith("Basic ")
    assert received.headers["user-agent"].startswith("puppylog/")


@pytest.mark.parametrize(
    ("reply", "cause", "is_final", "retry_after_s"),
    [
        (Reply(400, "invalid_payload"), "the receiver answered 400 invalid_payload", True, None),
        (Reply(404, f"no {SECRET} here"), "the receiver answered 404 no *** here", True, None),
        (Reply(410, ""), "the receiver answered 410", True, None),
        (Reply(408, "slow"), "the receiver answered 408 slow", False, None),
        (Reply(429, "", {"Retry-After": "7"}), "the receiver answered 429", False, 7.0),
        (Reply(429, "", {"Retry-After": "0.5"}), "the receiver answered 429", False, 0.5),
        (Reply(503, "", {"Retry-After": "Mon, 18 May 2026 12:01:30 GMT"}), "the receiver answered 503", False, 90.0),
        (Reply(503, "", {"Retry-After": "Mon, 18 May 2020 12:00:00 GMT"}), "the receiver answered 503", False, 0.0),
        (Reply(503, "", {"Retry-After": "999999999999"}), "the receiver answered 503", False, 86_400.0),
        (Reply(500, "oops", {"Retry-After": "soon"}), "the receiver answered 500 oops", False, None),
        (Reply(0), "the connection was closed without an answer", False, None),
    ],
)
def test_an_answer_says_whether_and_when_to_try_again(
    reply: Reply, cause: str, is_final: bool, retry_after_s: float | None
) -> None:
    with HttpReceiver(reply) as receiver:
        error = failure(f"{receiver.url}/services/{SECRET}")
        assert error.message == f"cannot send the message to contact 'ops' at {receiver.url}: {cause}"
    assert (error.is_final, error.retry_after_s) == (is_final, retry_after_s)


def test_a_redirect_is_not_followed() -> None:
    with HttpReceiver() as other, HttpReceiver(Reply(307, "", {"Location": f"{other.url}/{SECRET}"})) as receiver:
        error = failure(f"{receiver.url}/x")
        assert error.is_final
        assert error.cause == f"the receiver answered 307, and redirects to {other.url}"
    assert other.received == []


def test_a_long_answer_is_cut() -> None:
    with HttpReceiver(Reply(400, "a" * 1_000_000)) as receiver:
        error = failure(receiver.url)
    assert len(error.cause) < 300
    assert error.cause.endswith("characters)")


@pytest.mark.parametrize("reply", [Reply(delay_s=20), Reply(between_bytes_s=0.6)], ids=["silent", "slow"])
def test_a_receiver_without_an_answer_holds_up_nothing_after_the_deadline(reply: Reply) -> None:
    with HttpReceiver(reply) as receiver:
        began = time.monotonic()
        error = failure(receiver.url, delivery(0.3))
        assert time.monotonic() - began < 10
        # The slow receiver would send for 20 s.
        wait_until(
            lambda: "puppylog-send" not in {one.name for one in threading.enumerate()}, within_s=8, what="its end"
        )
    assert (error.cause, error.is_final) == ("there is no answer yet", False)


def test_a_port_without_a_server_and_a_name_that_does_not_resolve_are_tried_again() -> None:
    with HttpReceiver() as receiver:
        url = receiver.url
    assert (failure(f"{url}/{SECRET}").cause, failure(url).is_final) == ("connection refused", False)
    error = failure(f"https://does-not-resolve.invalid/{SECRET}")
    assert (error.cause, error.is_final) == ("the name of the host does not resolve", False)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        (f"ftp://host/{SECRET}", "its URL is not one of http:// or https://"),
        (SECRET, "its URL is not one of http:// or https://"),
        (f"http://[{SECRET}", "its URL is not one of http:// or https://"),
        (f"http://127.0.0.1:99999/{SECRET}", "its URL is not one of http:// or https://"),
        (f"http://127.0.0.1/{SECRET} x", "its URL has characters that are not allowed"),
        (f"http://127.0.0.1/{SECRET}\r\nHost: x", "its URL has characters that are not allowed"),
    ],
)
def test_a_url_that_is_none_is_final_and_not_shown(url: str, cause: str) -> None:
    error = failure(url)
    assert (error.cause, error.is_final) == (cause, True)


def test_a_token_with_a_line_break_is_final_and_not_shown() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        post_json("ops", "http://127.0.0.1:1", {}, delivery(), headers={"Authorization": f"Bearer {SECRET}\n"})
    assert caught.value.is_final
    assert SECRET not in repr(caught.value)


def test_a_certificate_is_verified_and_may_be_ones_own(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    with HttpReceiver(certificate=certificate) as receiver:
        error = failure(f"{receiver.url}/{SECRET}")
        assert error.cause.startswith("the certificate is not valid: ")
        assert not error.is_final
        assert post(receiver.url, ca_file=str(tmp_path / "certificate.pem")).status == 200
        (tmp_path / "garbage.pem").write_text("no certificate")
        for name, cause in {"missing.pem": "no such file or directory", "garbage.pem": "it has no certificate"}.items():
            with pytest.raises(DeliveryFailed, match=f"the file with certificates cannot be used: {cause}") as caught:
                post(receiver.url, ca_file=str(tmp_path / name))
            assert caught.value.is_final
        error = failure(receiver.url.replace("https", "http"))
        assert not error.is_final


def test_a_request_goes_through_the_proxy_unless_the_host_is_excepted() -> None:
    with HttpReceiver(Reply(200, "by proxy"), Reply(407, "no")) as proxy, HttpReceiver() as receiver:
        through = {"http": proxy.url.replace("//", f"//ann:{SECRET}@")}
        assert post("http://elsewhere.invalid/x", delivery(proxies=through)).text == "by proxy"
        [received] = proxy.received
        assert received.path == "http://elsewhere.invalid/x"
        assert received.headers["proxy-authorization"].startswith("Basic ")
        assert failure("http://elsewhere.invalid/x", delivery(proxies=through)).is_final
        assert post(receiver.url, delivery(proxies={**through, "no": "127.0.0.1"})).text == "ok"
        assert len(receiver.received) == 1


def test_a_wait_is_measured_from_the_present() -> None:
    with HttpReceiver(Reply(503, "", {"Retry-After": "Mon, 18 May 2026 12:01:30 GMT"})) as receiver:
        later = Delivery(time.monotonic() + 5, now=NOON + timedelta(seconds=60))
        assert failure(receiver.url, later).retry_after_s == 30.0
