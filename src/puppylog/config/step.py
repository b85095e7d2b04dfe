"""One change of a store's definitions, and a change that cannot be made."""

from dataclasses import dataclass
from enum import StrEnum

from puppylog.config.definition_set import Definition, Kind


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one definition.

    A definition that cannot be updated in place is replaced: one step deletes it, and a later one creates it.
    """

    action: Action
    kind: Kind
    name: str
    before: Definition | None  # what the store has before the plan; None if it has no definition of that name
    after: Definition | None  # what the file declares; None if the file does not
    note: str = ""  # the reason, or a consequence, in a phrase; may be empty

    @property
    def subject(self) -> str:
        """Kind and name, for people."""
        return f"{self.kind} {self.name}".rstrip()

    @property
    def key(self) -> tuple[Kind, str]:
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that cannot be made."""

    kind: Kind
    name: str
    cause: str
    needs_prune: bool = False  # whether --prune allows the change, which deletes something

    @property
    def sentence(self) -> str:
        """The refusal in a sentence for people."""
        return f"{self.kind} {self.name}".rstrip() + f": {self.cause}"
