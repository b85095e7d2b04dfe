"""The digest of a request: it tells the identical retry of a request from another request."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from starlette.requests import Request

from puppylog.serve.context import Stored

_KEY_HEADER = "idempotency-key"


def digest_request(
    request: Request, receiver: str, body: bytes | Iterable[bytes], parameters: Mapping[str, str | None] = {}
) -> str:
    """Return the digest of a request: 64 hexadecimal digits.

    Two requests have one digest if they come with the same token, to the same receiver, with the same parameters, the
    same body and the same header ``Idempotency-Key``. A sender that wants to store identical lines again sends another
    key.

    Args:
        request: of a caller that was checked.
        receiver: its name.
        body: decompressed, so that a retry may be compressed in another way; or the parts of it that decide.
        parameters: what else decides what is stored; None values count as absent.
    """
    hashed = blake2b(digest_size=32)
    key = request.headers.get(_KEY_HEADER)
    # Digests that are stored have the key "door", so that a retry across an upgrade is recognized.
    given = {"token": request.state.caller.token_id, "door": receiver, "key": key, **parameters}
    for name, value in given.items():
        if value is not None:
            for text in (name, value):
                data = text.encode("utf-8", "surrogateescape")
                hashed.update(len(data).to_bytes(8, "big") + data)
    hashed.update(b"\0" * 8)  # a name has no length of 0: here the body begins
    for part in (body,) if isinstance(body, bytes) else body:
        hashed.update(part)
    return hashed.hexdigest()


def repeated_headers(stored: Stored) -> dict[str, str]:
    """Return the headers of an answer which say that the request repeats one, and how many seconds ago that was."""
    return {} if stored.repeated_s is None else {"x-puppylog-repeated": f"{stored.repeated_s:.0f}"}
