"""The answer to a ``_bulk`` request: an item for each action, in compact JSON, whose text senders search.

Vector and Fluent Bit look for ``"errors":true`` and ``"errors":false`` as they are written here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

_CREATED: Final = 201


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an action was not done."""

    status: int  # of HTTP
    type: str  # one of Elasticsearch's
    reason: str


@dataclass(slots=True)
class BulkAnswer:
    """The operations of a request, and those that failed, by the number of the item from 0."""

    runs: list[tuple[str, int]] = field(default_factory=list)  # operations, and how many follow one another
    errors: dict[int, ItemError] = field(default_factory=dict)
    count: int = 0

    def add(self, operation: str, count: int = 1) -> None:
        """Add items of successful operations."""
        self.count += count
        if self.runs and self.runs[-1][0] == operation:
            count += self.runs.pop()[1]
        self.runs.append((operation, count))

    def add_error(self, operation: str, error: ItemError) -> None:
        """Add the item of an operation that failed."""
        self.errors[self.count] = error
        self.add(operation)

    def to_json(self) -> str:
        """Return a short form, which is kept for identical requests: a large request has many equal items."""
        errors = [[at, error.status, error.type, error.reason] for at, error in self.errors.items()]
        return json.dumps([self.runs, errors], separators=(",", ":"))

    @classmethod
    def from_json(cls, written: str) -> Self:
        """Return the answer of a short form."""
        runs, errors = json.loads(written)
        answer = cls()
        for operation, count in runs:
            answer.add(operation, count)
        answer.errors = {at: ItemError(status, type_, reason) for at, status, type_, reason in errors}
        return answer

    def render(self, took_ms: int, filter_path: Sequence[str] = ()) -> str:
        """Return the body of the answer.

        Args:
            took_ms: milliseconds from the request to its commit.
            filter_path: patterns of the parts that the sender asks for, as ``items.*.error``; empty for everything.
        """
        parts = [f'"took":{took_ms}'] if not filter_path or "took" in filter_path else []
        parts.append(f'"errors":{"true" if self.errors else "false"}')
        of_items = [pattern for pattern in filter_path if pattern.partition(".")[0] in {"items", "*", "**"}]
        if not filter_path or of_items:
            only_errors = bool(of_items) and all(pattern.endswith(".error") for pattern in of_items)
            parts.append(f'"items":[{",".join(self._list_items(only_errors=only_errors))}]')
        return "{" + ",".join(parts) + "}"

    def _list_items(self, *, only_errors: bool) -> list[str]:
        items: list[str] = []
        operations: dict[int, str] = {}
        for operation, count in self.runs:
            for at in range(len(items), len(items) + count):
                if at in self.errors:
                    operations[at] = operation
            items += [f'{{"{operation}":{{"status":{_CREATED}}}}}'] * count
        for at, error in self.errors.items():
            described = {"status": error.status, "error": {"type": error.type, "reason": error.reason}}
            items[at] = json.dumps({operations[at]: described}, separators=(",", ":"))
        return [items[at] for at in self.errors] if only_errors else items
