"""Why a connection over HTTP, SMTP or TLS fails, in words without secrets: an error's own text may contain a URL."""

import ssl
from typing import Final

from urllib3 import exceptions

_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
_NO_ANSWER: Final = "there is no answer yet"
_NO_ENCRYPTION: Final = "the connection cannot be encrypted"
_CUT: Final = "the connection was closed without an answer"
_UNKNOWN_NAME: Final = "the name of the host does not resolve"
_PROXY_FAILS: Final = "the proxy does not pass the request on"


def explain_connection(error: BaseException) -> str:
    """Return why a connection failed, such as ``connection refused``, without the name of the other side.

    Args:
        error: of urllib3, smtplib, ssl or the system.
    """
    causes = list_causes(error)
    system = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    system = system[:1].lower() + system[1:]
    invalid = find_bad_certificate(error)
    if invalid:
        return f"the certificate is not valid: {invalid}"
    words: dict[type[BaseException], str] = {  # of several, the first one is the cause of the others
        exceptions.ProxyError: f"{_PROXY_FAILS}: {system}" if system else _PROXY_FAILS,
        exceptions.NameResolutionError: _UNKNOWN_NAME,
        exceptions.NewConnectionError: system,
        exceptions.TimeoutError: _NO_ANSWER,
        TimeoutError: _NO_ANSWER,
        exceptions.SSLError: _NO_ENCRYPTION,
        ssl.SSLError: _NO_ENCRYPTION,
        exceptions.ProtocolError: system or _CUT,
        ConnectionError: system or _CUT,
    }
    if is_no_tls(error):
        return "the other side does not speak TLS"
    known = next((text for kind, text in words.items() for cause in causes if isinstance(cause, kind)), "")
    return known or system or f"the connection failed ({type(error).__name__})"


def find_bad_certificate(error: BaseException) -> str:
    """Return what is wrong with the certificate of the other side, as OpenSSL says it; empty if nothing is."""
    found = (cause for cause in list_causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next((cause.verify_message for cause in found), "")


def is_no_tls(error: BaseException) -> bool:
    """Return whether the other side answered a start of TLS with something else."""
    found = (cause for cause in list_causes(error) if isinstance(cause, ssl.SSLError))
    return any(getattr(cause, "reason", None) in _NOT_TLS for cause in found)  # one that Python raises has no reason


def list_causes(error: BaseException) -> list[BaseException]:
    """Return the error and those that it was raised from. urllib3 also puts an error into the arguments of another."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and all(cause is not other for other in found):
            found.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return found
