"""Causes of connections that fail, in words without a secret."""

import itertools
import ssl

import pytest
import urllib3
from urllib3 import exceptions

from puppylog.model.network import explain_connection


def chain(*errors: BaseException) -> BaseException:
    """Return the first error, raised from the second, and so on."""
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


REFUSED = ConnectionRefusedError(111, "Connection refused")
TLS = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
TLS.reason = "WRONG_VERSION_NUMBER"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (REFUSED, "connection refused"),
        (
            exceptions.ProxyError("https://user:secret@proxy", REFUSED),
            "the proxy does not pass the request on: connection refused",
        ),
        (
            chain(exceptions.ProtocolError("Connection aborted."), ConnectionResetError()),
            "the connection was closed without an answer",
        ),
        (exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("host"), "/secret", "late"), "there is no answer yet"),
        (TimeoutError(), "there is no answer yet"),
        (exceptions.SSLError(TLS), "the other side does not speak TLS"),
        (exceptions.SSLError(ssl.SSLError(1, "secret")), "the connection cannot be encrypted"),
        (RuntimeError("secret"), "the connection failed (RuntimeError)"),
    ],
)
def test_a_cause_is_said_in_words_of_our_own(error: BaseException, cause: str) -> None:
    assert explain_connection(error) == cause
