"""Who a change through the read interface is by."""

from typing import Final

from puppylog.serve.context import Caller

_PAGE: Final = "page"


def name_author(written: str | None, caller: Caller) -> str:
    """Return the author that the client has written, or else the name of its token, or else ``page``."""
    return (written or "").strip() or caller.name or _PAGE
