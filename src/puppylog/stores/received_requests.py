"""The error of a commit with a request that the store has already, as all stores raise it."""

from typing import NoReturn

from puppylog.errors import RequestRepeated


def refuse_repeated(digest: str, age_s: float | None = None) -> NoReturn:
    """Raise RequestRepeated for a request.

    Args:
        digest: of the request.
        age_s: how many seconds ago the store committed the request; None if this is unknown, or if the same commit has
            two requests with this digest.
    """
    when = "" if age_s is None else f" {age_s:.0f} s ago"
    raise RequestRepeated("store", f"request {digest[:16]}", f"an identical one was stored{when}")
