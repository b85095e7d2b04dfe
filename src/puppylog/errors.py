"""Every error Puppylog raises on purpose, in one tree.

    PuppylogError               exit code
    ├── UsageError              2   the request cannot be done as it was written
    │   ├── SourceError         2   a file that cannot be collected
    │   ├── NotFound            2   no metric, alert, group or stream of that name
    │   ├── AlreadyExists       2   the name is taken by another definition
    │   ├── ExpressionError     2   a segment or filter expression that is not allowed
    │   ├── SearchError         2   a search query that cannot be read
    │   ├── FormatError         2   a server's log format that cannot be read
    │   └── QueryError          2   SQL that the store refuses
    ├── ConfigurationError      78  a setting that is invalid
    │   └── StoreRefused        78  a store that is not Puppylog's, or of another version
    │       └── StoreForbidden  78  a store that the role, or the user, has no right to use in this way
    ├── DeliveryFailed          1   a contact did not accept a message
    ├── ListenFailed            69  the server cannot use its address now
    └── StoreError              69  the store failed
        ├── StoreUnavailable    69  the store does not answer, but may answer later     (transient)
        │   └── StoreCrowded    69  other clients use all connections of the server     (transient)
        ├── StoreFull           69  the store has no disk space until some is freed     (transient)
        │   └── BatchDropped    69  no disk space to pass a batch to the engine; its lines must be read again
        ├── StoreDamaged        69  the store has lost commits, or a part of it cannot be read
        ├── StreamBusy          69  another collector follows this stream
        │   └── StoreRewound    69  the store has lost commits, as after a failover; their lines must be read again
        └── RequestRepeated     69  the store has the lines of this request already

An error has four parts: the verb and the thing (what was attempted, on what), the cause, and the advice. They make the
message, ``cannot <verb> <thing>: <cause>; <advice>``, which fits on one line and is shown without a traceback. The
message is for people. Code decides by the class of an error or by a field and never searches the message, because its
words may come from a server in any language.

Each store has one module that translates the exceptions of its driver into these errors. ``transient`` says whether a
retry may succeed.
"""

from typing import ClassVar


class PuppylogError(Exception):
    """The root of the tree.

    Attributes:
        exit_code: the exit code of a process that ends because of the error.
        transient: whether a later retry of the same call may succeed without any change by the user.
        verb: what was attempted, with its preposition: ``"read"``, ``"connect to"``.
        thing: the object of the verb, such as ``"store postgresql://host/database"``; may be empty.
        cause: why the attempt failed; empty if it is unknown, or if the advice says enough.
        advice: what the user can do about it; may be empty.

    >>> error = PuppylogError("read", "the file a.log", "it is a directory", "name a file")
    >>> print(error)
    cannot read the file a.log: it is a directory; name a file
    """

    exit_code: ClassVar[int] = 1
    transient: ClassVar[bool] = False

    def __init__(self, verb: str, thing: str, cause: str = "", advice: str = "") -> None:
        super().__init__(verb, thing, cause, advice)
        self.verb = verb
        self.thing = thing
        self.cause = cause
        self.advice = advice

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """Verb, thing, cause and advice: the arguments that make an error with the same message."""
        return self.verb, self.thing, self.cause, self.advice

    @property
    def message(self) -> str:
        """The error in one line, for people."""
        attempt = " ".join(part for part in ("cannot", self.verb, self.thing) if part)
        reason = "; ".join(part for part in (self.cause, self.advice) if part)
        return f"{attempt}: {reason}" if reason else attempt

    def __str__(self) -> str:
        return self.message


class UsageError(PuppylogError):
    exit_code = 2


class SourceError(UsageError):
    pass


class NotFound(UsageError):
    pass


class AlreadyExists(UsageError):
    pass


class ExpressionError(UsageError):
    """An expression that is not allowed.

    Attributes:
        written: the whole text, as the user wrote it; empty if the message alone says where the fault is.
        at: where in it the fault is, in characters from its start.
    """

    def __init__(
        self, verb: str, thing: str, cause: str = "", advice: str = "", *, written: str = "", at: int = 0
    ) -> None:
        super().__init__(verb, thing, cause, advice)
        self.written = written
        self.at = at


class SearchError(UsageError):
    """A search query that cannot be read.

    Attributes:
        written: the whole query, as the user wrote it.
        at: where in it the fault is, in characters from its start.
    """

    def __init__(self, cause: str, advice: str = "", *, written: str, at: int) -> None:
        super().__init__("read", "the query", cause, advice)
        self.written = written
        self.at = at


class FormatError(UsageError):
    """A log format that cannot be read.

    Attributes:
        written: the whole format, as the user wrote it.
        at: offset of the fault in ``written``, in characters.
    """

    def __init__(self, thing: str, cause: str, *, written: str, at: int) -> None:
        super().__init__("read", thing, cause)
        self.written = written
        self.at = at


class QueryError(UsageError):
    pass


class ConfigurationError(PuppylogError):
    exit_code = 78


class StoreRefused(ConfigurationError):
    pass


class StoreForbidden(StoreRefused):
    pass


class DeliveryFailed(PuppylogError):
    """A contact did not accept a message, or nothing is known about its answer.

    Attributes:
        is_final: whether every later attempt would fail in the same way, so that none is made.
        retry_after_s: how long the receiver asks to wait before the next attempt, in seconds; None if it does not say.
    """

    def __init__(
        self,
        verb: str,
        thing: str,
        cause: str = "",
        advice: str = "",
        *,
        is_final: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(verb, thing, cause, advice)
        self.is_final = is_final
        self.retry_after_s = retry_after_s


class ListenFailed(PuppylogError):
    exit_code = 69


class StoreError(PuppylogError):
    exit_code = 69


class StoreUnavailable(StoreError):
    transient = True


class StoreCrowded(StoreUnavailable):
    pass


class StoreFull(StoreError):
    transient = True


class BatchDropped(StoreFull):
    transient = False


class StoreDamaged(StoreError):
    pass


class StreamBusy(StoreError):
    pass


class StoreRewound(StreamBusy):
    pass


class RequestRepeated(StoreError):
    pass


def _iter_tree(root: type[PuppylogError]) -> list[type[PuppylogError]]:
    return [root, *(found for child in root.__subclasses__() for found in _iter_tree(child))]


BY_NAME = {error.__name__: error for error in _iter_tree(PuppylogError)}
"""The class of each error by its name. The engine process sends an error to its client as name and parts."""
