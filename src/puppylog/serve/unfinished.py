"""Takes the places of the intake and of access by tokens, which are not written yet. Deleted with them."""

from dataclasses import dataclass

from starlette.requests import Request

from puppylog.receive.received import Received
from puppylog.serve.context import Scope, Stored
from puppylog.serve.refusal import Refusal


@dataclass(frozen=True, slots=True)
class _NoToken:
    token_id: str = ""
    name: str = ""


class AnyCaller:
    """Lets every client do everything, if the server is open or on loopback."""

    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open

    async def check(self, request: Request, scope: Scope) -> _NoToken:
        del request, scope
        if not self._is_open:
            raise Refusal(401, "a token is needed", challenge="Bearer")
        return _NoToken()

    def close(self) -> None:
        """Nothing is open."""


class NoIntake:
    """Stores nothing."""

    async def store(self, door: str, received: Received, *, digest: str | None, answer: str) -> Stored:
        del door, received, digest, answer
        raise Refusal(501, "this server stores no lines yet")

    def close(self) -> None:
        """Nothing is open."""
