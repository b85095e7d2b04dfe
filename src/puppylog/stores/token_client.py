"""Tokens, for a client that asks an engine or a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # only a server, and commands about tokens, need these
    from collections.abc import Mapping, Sequence

    from puppylog.model.token import NewToken, Token


class TokenClient:
    """Implements `puppylog.stores.token_store.TokenStore`, given `_ask`."""

    def _ask(self, action: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Call an action of the engine that is safe to repeat."""
        raise NotImplementedError

    def create_token(self, new: NewToken) -> Token:
        from puppylog.stores.rows import token_of  # noqa: PLC0415 - see above

        return token_of(self._ask("create_token", new=new))

    def revoke_token(self, name: str) -> bool:
        return bool(self._ask("revoke_token", name=name))

    def list_tokens(self) -> Sequence[Token]:
        from puppylog.stores.rows import token_of  # noqa: PLC0415 - see above

        return [token_of(row) for row in self._ask("list_tokens")]

    def find_tokens(self, hashes: Sequence[str]) -> Mapping[str, Token]:
        from puppylog.stores.rows import token_of  # noqa: PLC0415 - see above

        found: dict[str, dict[str, Any]] = self._ask("find_tokens", hashes=list(hashes))
        return {hash_: token_of(row) for hash_, row in found.items()}

    def note_token_uses(self, token_ids: Sequence[int]) -> None:
        self._ask("note_token_uses", token_ids=list(token_ids))
