"""The errors of HTTP connections and answers, translated to those of Puppylog. No message has a token in it."""

from collections.abc import Mapping
from typing import Final

from puppylog.errors import (
    ConfigurationError,
    PuppylogError,
    StoreError,
    StoreForbidden,
    StoreRefused,
    StoreUnavailable,
)
from puppylog.model.network import explain_connection, find_bad_certificate, is_no_tls
from puppylog.stores.remote.protocol import CONTENT_TYPE

_CA_ADVICE: Final = "name a file with the certificate of its authority in ca_file or PUPPYLOG_CA_FILE"
HOW_TO_AUTHORIZE: Final = "set PUPPYLOG_TOKEN or token_file; 'puppylog tokens create' makes a token"
_REFUSALS: Final[Mapping[int, tuple[type[PuppylogError], str, str, str]]] = {
    403: (StoreForbidden, "use", "the token does not allow this", "use a token with another scope"),
    413: (StoreError, "write to", "the server does not accept requests of this size", ""),
    421: (
        StoreRefused,
        "use",
        "the server does not accept this name as its own",
        "add the name to hosts in the server's [listen], or use its address",
    ),
}
_UNAVAILABLE: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


def translate_exception(error: BaseException, name: str) -> PuppylogError:
    """Return the error for an exception of urllib3 or of the system.

    Args:
        error: the exception.
        name: the URL of the store.
    """
    invalid = find_bad_certificate(error)
    if invalid:
        reason = f"its certificate is not valid: {invalid}"
        return ConfigurationError("connect to", f"store {name}", reason, _CA_ADVICE)
    if is_no_tls(error):
        advice = "use http:// for an unencrypted connection"
        return ConfigurationError("connect to", f"store {name}", "the server does not speak TLS", advice)
    return StoreUnavailable("reach", f"store {name}", explain_connection(error))


def is_answer_of_store(headers: Mapping[str, str]) -> bool:
    """Return whether an answer has frames, so that Puppylog and no other program has sent it."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == CONTENT_TYPE


def translate_status(
    status: int, headers: Mapping[str, str], name: str, *, has_token: bool, is_first: bool
) -> PuppylogError:
    """Return the error for an answer without frames.

    Args:
        status: of the answer.
        headers: of the answer.
        name: the URL of the store.
        has_token: whether the client has sent a token.
        is_first: whether this answers the first call, so that the program at this place may be any.
    """
    thing = f"store {name}"
    if status == 401:
        cause = "the server does not accept the token" if has_token else "the server asks for a token"
        return StoreForbidden("use", thing, cause, HOW_TO_AUTHORIZE)
    if status in _REFUSALS:
        kind, verb, cause, advice = _REFUSALS[status]
        return kind(verb, thing, cause, advice)
    if status in _UNAVAILABLE:
        wait = headers.get("Retry-After", "")
        asked = f" and asks to wait {wait} s" if wait.isdecimal() else ""
        return StoreUnavailable("use", thing, f"the server answers {status}{asked}")
    content_type = headers.get("Content-Type", "").strip().lower()
    if CONTENT_TYPE.startswith(content_type) and not 300 <= status < 400:  # other programs name another type
        return StoreUnavailable("use", thing, "the answer was cut")
    if is_first:
        location = "; it redirects elsewhere" if 300 <= status < 400 else ""
        return StoreRefused("use", thing, f"no Puppylog server answers there: the status is {status}{location}")
    return StoreUnavailable("use", thing, f"another program answers in place of the server, with the status {status}")
