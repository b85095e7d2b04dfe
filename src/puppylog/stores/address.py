"""The address of a store: its URL, and for a remote store the token and the authorities that the client trusts."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from puppylog.errors import ConfigurationError

_REMOTE: Final = ("http", "https")
_LOOPBACK: Final = r"(?i)(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d*)?(/|$)"


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where a store is, and how a client identifies itself. No part of it but ``url`` has a meaning for other stores.

    Example:
        >>> StoreAddress("https://logs.example.com:7380", token="ppl_secret")
        StoreAddress(url='https://logs.example.com:7380', token_file='', ca_file='')
    """

    url: str
    token: str = field(default="", repr=False)
    """The token of a remote store; takes precedence over ``token_file``."""
    token_file: str = ""
    """The path of a file with the token. The file is read at every connection, so that a new token needs no restart."""
    ca_file: str = ""
    """The path of a file with certificates of authorities, which are trusted in addition to those of the system."""

    @property
    def is_readable_on_the_way(self) -> bool:
        """Whether lines and token go over a network without encryption."""
        scheme, _, rest = self.url.partition("://")
        return scheme.lower() == "http" and re.match(_LOOPBACK, rest) is None

    def read_token(self) -> str:
        """Return the token; empty if there is none.

        Raises:
            ConfigurationError: the token file cannot be read, or has no token.
        """
        if self.token or not self.token_file:
            return check_token(self.token)
        try:
            content = Path(self.token_file).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            cause = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
            raise ConfigurationError("read", f"the token file {self.token_file}", cause) from None
        if not content.strip():
            raise ConfigurationError("read", f"the token file {self.token_file}", "it is empty")
        return check_token(content.strip())


def check_token(token: str) -> str:
    """Return the token. Raise ConfigurationError, without the token, if it cannot be the value of a header."""
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise ConfigurationError("use", "the token", "it has characters that a token cannot have")
    return token


def is_remote(url: str) -> bool:
    """Return whether ``url`` names a store behind a server, over HTTP."""
    return url.partition("://")[0].lower() in _REMOTE


def address_of(store: str | StoreAddress) -> StoreAddress:
    """Return the address of a store that is named by its URL or by its address."""
    return StoreAddress(store) if isinstance(store, str) else store
