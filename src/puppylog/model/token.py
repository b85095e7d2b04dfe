"""Tokens: what a client of the server shows to say who it is, and what it may do. A store keeps only their hashes."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from puppylog.errors import UsageError

PREFIX: Final = "ppl_"
"""Every token begins with this, so that programs that search for secrets in files recognize it."""

_RANDOM_BYTES: Final = 32
_TOKEN: Final = re.compile(r"ppl_[A-Za-z0-9_-]{43}")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MAX_NAME: Final = 100  # characters


class Scope(StrEnum):
    """What a token allows."""

    INGEST = "ingest"  # store lines
    READ = "read"  # search, count, and run SQL that only reads
    ADMIN = "admin"  # both, and change metrics, alerts, groups and tokens

    def includes(self, other: "Scope") -> bool:
        """Return whether a token of this scope may do what needs the other scope."""
        return self is other or self is Scope.ADMIN


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the store has it, without the token and its hash. All instants are aware."""

    id: int
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None = None  # None: never
    revoked_at: datetime | None = None  # None: not revoked
    used_at: datetime | None = None  # the minute of the last use

    def find_fault(self, now: datetime) -> str | None:
        """Return why the token is not accepted at ``now``: ``"revoked"`` or ``"expired"``. None if it is accepted."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that a store is to keep."""

    name: str
    scope: Scope
    hash: str = field(repr=False)  # of `hash_token`
    expires_at: datetime | None = None  # aware; None: never


def make_token() -> str:
    """Return a new token: PREFIX and 43 characters for 32 random bytes."""
    from secrets import token_urlsafe  # noqa: PLC0415 - loads OpenSSL, which takes 4 ms of CPU

    return PREFIX + token_urlsafe(_RANDOM_BYTES)


def is_token(text: str) -> bool:
    """Return whether ``text`` is written as a token is."""
    return _TOKEN.fullmatch(text) is not None


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token as 64 hexadecimal digits.

    A token is random, so that no salt and no slow hash is needed: it cannot be guessed from its hash.
    """
    from hashlib import sha256  # noqa: PLC0415 - as above

    return sha256(token.encode()).hexdigest()


def parse_token_name(text: str) -> str:
    """Return ``text`` if a token can have this name.

    Raises:
        UsageError: it is empty or too long, or has a character that is not allowed. The message does not repeat a text
            that may be a token itself.
    """
    shown = "this" if PREFIX in text else repr(text[:_MAX_NAME])
    if len(text) > _MAX_NAME:
        raise UsageError("name", f"a token {shown}", f"a name has at most {_MAX_NAME} characters")
    if not _NAME.fullmatch(text):
        raise UsageError("name", f"a token {shown}", "a name has letters, digits, '_', '-' and '.' only")
    if is_token(text):
        raise UsageError("name", "a token this", "it is a token; a name is shown to everyone who may list tokens")
    return text
