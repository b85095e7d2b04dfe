"""Moves over the tokens of a LogQL query."""

from puppylog.errors import SearchError
from puppylog.model.logql.lexing import Kind, Token, read_tokens
from puppylog.model.logql.refusal import refuse


class Reader:
    """The tokens of one query, and the position of the next one."""

    def __init__(self, query: str) -> None:
        """Divide the query into tokens. Raises SearchError."""
        self.query = query
        self._tokens = read_tokens(query)
        self._at = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    @property
    def is_at_end(self) -> bool:
        return self.next.kind is Kind.END

    @property
    def after_next(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self._tokens[self._at]
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def take_sign(self, *signs: str) -> Token | None:
        """Take the next token if it is one of the signs."""
        return self.take() if self.next.is_sign(*signs) else None

    def take_name(self, *names: str) -> Token | None:
        """Take the next token if it is one of the names."""
        return self.take() if self.next.is_name(*names) else None

    def expect_sign(self, sign: str) -> Token:
        return self.take_sign(sign) or self._fail(f"{sign} is missing here")

    def expect(self, kind: Kind, what: str) -> Token:
        """Take the next token, which must be of that kind. ``what`` names it in the error."""
        return self.take() if self.next.kind is kind else self._fail(f"{what} is missing here")

    def refuse(self, cause: str, advice: str = "", *, at: int | None = None) -> SearchError:
        """Return the error of a fault at the next token, or at the character ``at``."""
        return refuse(self.query, self.next.at if at is None else at, cause, advice)

    def _fail(self, cause: str) -> Token:
        found = self.next
        shown = "the query ends" if found.kind is Kind.END else f"found {found.text!r}"
        raise self.refuse(f"{cause}: {shown}")
