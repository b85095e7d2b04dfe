"""What a store can do, and why not where it can not: a sentence that a person reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capability:
    """One ability of a store. ``why`` says who provides it, or what is missing and what to do about it."""

    name: str
    is_there: bool
    why: str
