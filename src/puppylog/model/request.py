"""A request of a sender whose lines are stored, so that an identical retry is recognized and stores nothing."""

from dataclasses import dataclass
from typing import Final

KEPT_S: Final = 3600
"""For how many seconds a store recognizes a request after it was committed."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request and its answer. The store keeps both for KEPT_S seconds, in the transaction of the request's lines."""

    digest: str  # 64 hexadecimal digits: a hash of everything that makes a request another one
    answer: str  # JSON of the answer, so that a retry is answered as before
    age_s: float = 0.0  # how many seconds ago the store committed the request; 0 for a new one
