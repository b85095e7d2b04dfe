"""The part of the interface of a store that keeps tokens, written as obligations like `puppylog.stores.base`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a command that reads records needs none of these
    from collections.abc import Mapping, Sequence

    from puppylog.model.token import NewToken, Token


class TokenStore(Protocol):
    """Keeps the tokens of the server's clients, by their hashes. Used by the server and by ``puppylog tokens``.

    Must not let a user's SQL read a hash, unless a PostgreSQL role has been granted the table. Must keep revoked and
    expired tokens, so that they are listed.
    """

    def create_token(self, new: NewToken) -> Token:
        """Store a token; return it.

        Must replace a revoked or expired token of the name, under a new id. Must accept the same hash under the same
        name again, so that a call whose answer was lost can be repeated.

        Raises:
            AlreadyExists: a token of this name is neither revoked nor expired.
        """

    def revoke_token(self, name: str) -> bool:
        """Revoke the token; return whether it was not revoked before.

        Raises:
            NotFound: there is no such token.
        """

    def list_tokens(self) -> Sequence[Token]:
        """Return all tokens in the order of their names, also those that are revoked or expired."""

    def find_tokens(self, hashes: Sequence[str]) -> Mapping[str, Token]:
        """Return the tokens with these hashes, by hash, also those that are revoked or expired. Leave out others."""

    def note_token_uses(self, token_ids: Sequence[int]) -> None:
        """Store that these tokens are used now, to the minute. It is OK to lose this in a crash.

        Must ignore ids that do not exist, and must not write if the minute is stored already.
        """
