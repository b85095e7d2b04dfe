"""Every error Puppylog raises on purpose, in one tree.

    PuppylogError
    ├── UsageError              2   what was asked cannot be done as asked
    │   ├── SourceError         2   a file that cannot be collected
    │   ├── NotFound            2   no metric, alert, group or stream of that name
    │   ├── AlreadyExists       2   the name is taken by another definition
    │   ├── ExpressionError     2   a segment or filter expression that is not allowed
    │   ├── FormatError         2   a server's log format that cannot be read
    │   └── QueryError          2   SQL the store refuses
    ├── ConfigurationError      78  a setting that makes no sense
    │   └── StoreRefused        78  a store that is not ours, or not of our version
    └── StoreError              69  the store could not do it
        ├── StoreUnavailable    69  away, and it may come back            (transient)
        │   └── StoreCrowded    69  others have all of its connections    (transient)
        ├── StoreFull           69  no room, until somebody makes some    (transient)
        │   └── BatchDropped    69  no room to hand a batch over; its lines are to be read again
        ├── StoreDamaged        69  the store has lost commits, or a part of it cannot be read
        └── StreamBusy          69  another collector follows this stream

Drivers' exceptions are translated at one seam per store and never travel further. A message reads
``cannot <verb> <thing>: <cause>``, fits on one line and needs no traceback beside it. ``transient`` says whether
waiting may cure the error: what may be retried is a property of the error, not of the place that catches it.
"""

from typing import ClassVar


class PuppylogError(Exception):
    """The root: one line for a person to read, the exit code of the process it ends, and whether waiting helps."""

    exit_code: ClassVar[int] = 1
    transient: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(PuppylogError):
    exit_code = 2


class SourceError(UsageError):
    pass


class NotFound(UsageError):
    pass


class AlreadyExists(UsageError):
    pass


class ExpressionError(UsageError):
    pass


class FormatError(UsageError):
    """Knows what was written, and where in it the cause stands, in characters."""

    def __init__(self, message: str, written: str, at: int) -> None:
        super().__init__(message)
        self.written = written
        self.at = at


class QueryError(UsageError):
    pass


class ConfigurationError(PuppylogError):
    exit_code = 78


class StoreRefused(ConfigurationError):
    pass


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


def _iter_tree(root: type[PuppylogError]) -> list[type[PuppylogError]]:
    return [root, *(found for child in root.__subclasses__() for found in _iter_tree(child))]


BY_NAME = {error.__name__: error for error in _iter_tree(PuppylogError)}
"""The class of an error by its name: how an error crosses from the engine's process to its client."""
