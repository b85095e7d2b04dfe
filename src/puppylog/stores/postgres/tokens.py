"""The tokens of the server's clients, in a PostgreSQL store."""

from collections.abc import Mapping, Sequence

from puppylog.errors import AlreadyExists, NotFound
from puppylog.model.token import NewToken, Token
from puppylog.stores.postgres.sessions.link import Link
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import token_of

_QUERIES = load_queries("puppylog.stores.postgres", "tokens.sql")


class Tokens:
    """Implements `puppylog.stores.token_store.TokenStore`."""

    def __init__(self, control: Link) -> None:
        self._control = control

    def create_token(self, new: NewToken) -> Token:
        expires_at = None if new.expires_at is None else new.expires_at.isoformat()
        values = {"name": new.name, "hash": new.hash, "scope": new.scope.value, "expires_at": expires_at}
        if not self._control.call(lambda session: session.value(_QUERIES["create_token"], values)):
            raise AlreadyExists("create", f"token {new.name!r}", "the name is taken", "revoke that token first")
        return self.find_tokens([new.hash])[new.hash]

    def revoke_token(self, name: str) -> bool:
        was_accepted = self._control.call(lambda session: session.value(_QUERIES["revoke_token"], {"name": name}))
        if was_accepted is None:
            raise NotFound("find", f"token {name!r}", "there is none of that name")
        return bool(was_accepted)

    def list_tokens(self) -> Sequence[Token]:
        return [token_of(row) for row in self._control.call(lambda session: session.rows(_QUERIES["list_tokens"]))]

    def find_tokens(self, hashes: Sequence[str]) -> Mapping[str, Token]:
        def work(session: Session) -> Mapping[str, Token]:
            rows = session.rows(_QUERIES["find_tokens"], {"hashes": list(hashes)})
            return {row.pop("hash"): token_of(row) for row in rows}

        return self._control.call(work)

    def note_token_uses(self, token_ids: Sequence[int]) -> None:
        values = {"ids": list(token_ids)}
        self._control.call(lambda session: session.run(_QUERIES["note_token_uses"], values))
